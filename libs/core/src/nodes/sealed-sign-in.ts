import { z } from 'zod';
import type { Board, BoardPatch } from './board.ts';
import type { SignIn } from './board-connection.ts';
import type { SecretBox } from './secret-box.ts';

const sealedSchema = z.object({
  secret: z.union([z.object({ password: z.string() }), z.object({ privateKey: z.string() })]),
  sudoPassword: z.string().nullable(),
});

const signInPurpose = (boardId: string): string => `board:${boardId}:sign-in`;
export const sudoPurpose = (boardId: string): string => `board:${boardId}:sudo`;

/** @returns the text that the database keeps until the managed key is installed */
export function sealSignIn(
  boardId: string,
  { secret, sudoPassword }: Pick<SignIn, 'secret' | 'sudoPassword'>,
  secrets: SecretBox,
): string {
  return secrets.seal(JSON.stringify({ secret, sudoPassword }), signInPurpose(boardId));
}

/** @throws Error where it was forgotten already, or cannot be opened */
export function openSignIn({ id, signInUser, sealedSignIn }: Board, secrets: SecretBox): SignIn {
  if (sealedSignIn === null) throw new Error('the sign-in was forgotten already');
  const opened = sealedSchema.parse(JSON.parse(secrets.open(sealedSignIn, signInPurpose(id))));
  return { user: signInUser, ...opened };
}

export function openSudoPassword({ id, sealedSudoPassword }: Board, secrets: SecretBox): string | null {
  return sealedSudoPassword === null ? null : secrets.open(sealedSudoPassword, sudoPurpose(id));
}

/**
 * What is sealed with an older key, sealed with the newest one.
 * @returns nothing where all is sealed with the newest already
 */
export function resealed(board: Board, secrets: SecretBox): BoardPatch | undefined {
  const { sealedSignIn, sealedSudoPassword } = board;
  const anew = (sealed: string, purpose: string) => secrets.seal(secrets.open(sealed, purpose), purpose);
  const patch: BoardPatch = {
    ...(sealedSignIn !== null && secrets.isStale(sealedSignIn)
      ? { sealedSignIn: anew(sealedSignIn, signInPurpose(board.id)) }
      : {}),
    ...(sealedSudoPassword !== null && secrets.isStale(sealedSudoPassword)
      ? { sealedSudoPassword: anew(sealedSudoPassword, sudoPurpose(board.id)) }
      : {}),
  };
  return Object.keys(patch).length === 0 ? undefined : patch;
}
