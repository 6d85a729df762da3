import { z } from 'zod';
import type { Board } from './board.ts';
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
