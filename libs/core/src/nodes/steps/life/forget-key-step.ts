import { isAuthorized, withdraw } from '../../authorize.ts';
import { type BoardStep, differs, right } from '../../board-step.ts';

/** Kept before the key is removed: a sign-in that is refused from then on is what was wanted. */
export const KEY_REMOVED = 'key-removed';

/** The last of all: nobody signs in to the board as Bramble any more. */
export const forgetKeyStep: BoardStep = {
  name: 'key',
  title: "the board does not let Bramble's key in any more",
  roles: null,
  async check(_, context) {
    return (await isAuthorized(context.connection, await context.publicKeyLine()))
      ? differs('the key is still there')
      : right('the key is gone');
  },
  async apply(context) {
    await context.keepNote(KEY_REMOVED, 'yes');
    await withdraw(context.connection, await context.publicKeyLine());
    return 'removed';
  },
};
