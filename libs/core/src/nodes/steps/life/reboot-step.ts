import { type BoardStep, differs, right } from '../../board-step.ts';
import { hasRebooted, rebootBoard } from '../../reboot-board.ts';

export const rebootStep: BoardStep = {
  name: 'reboot',
  title: 'the board has started anew',
  roles: null,
  async check(_, context) {
    return (await hasRebooted(context)) ? right('it is another boot') : differs('it has not restarted yet');
  },
  async apply(context) {
    await rebootBoard(context);
    return 'restarted';
  },
};
