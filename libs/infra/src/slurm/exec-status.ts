import { z } from 'zod';
import type { RemoteEnd } from '#infra/ssh/remote-command';

const statusSchema = z.object({
  status: z.string().optional(),
  reason: z.string().optional(),
  message: z.string().default('no reason given'),
  details: z
    .object({
      causes: z.array(z.object({ reason: z.string().optional(), message: z.string().optional() })).optional(),
    })
    .optional(),
});

/**
 * What API servers, kubelets and container runtimes say of a command that they have not started: the streams to the
 * container come first, and the command after them.
 */
const NEVER_STARTED = [
  /unable to upgrade connection/,
  /error dialing backend/,
  /dial tcp /,
  /OCI runtime exec failed/,
];

/** How a command in a container has ended, by the `Status` that is the last message of its connection. */
export function readExecStatus(text: string): RemoteEnd {
  const read = statusSchema.safeParse(parsed(text));
  if (!read.success)
    return {
      kind: 'lost',
      because: `what the API server says of its end is not understood: ${text.slice(0, 200)}`,
    };
  const { status, reason, message, details } = read.data;
  if (status === 'Success') return { kind: 'exited', code: 0 };
  const code = details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message ?? '';
  if (reason === 'NonZeroExitCode' && /^\d{1,3}$/.test(code)) return { kind: 'exited', code: Number(code) };
  const isCertain = NEVER_STARTED.some((pattern) => pattern.test(message));
  return { kind: isCertain ? 'unreachable' : 'lost', because: message };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
