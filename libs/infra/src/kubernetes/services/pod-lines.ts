import { ApiRefusal, readStatus } from './api-refusal.ts';
import type { ApiSession } from './api-session.ts';

/** A kubelet that is away answers late or never, and the rest is worth telling without its lines. */
const KUBELET_TIMEOUT_MS = 5_000;
const MAX_BYTES = 512 * 1024;
const MAX_LINE = 2_000;

export interface LinesOfContainer {
  namespace: string;
  pod: string;
  container: string;
  /** Of the container before its last restart. */
  previous: boolean;
  /** At most. */
  lines: number;
}

/** Lines, or why there are none. */
export interface PodLines {
  lines: string[];
  because: string | null;
}

/**
 * The last lines that a container has written, each cut after 2,000 characters.
 * @throws ApiRefusal where the right is missing
 */
export async function readPodLines(api: ApiSession, wanted: LinesOfContainer): Promise<PodLines> {
  const { namespace, pod, container, previous, lines } = wanted;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  try {
    const answer = await api.call(path, {
      accept: '*/*',
      query: { container, previous, tailLines: lines, limitBytes: MAX_BYTES },
      timeoutMs: KUBELET_TIMEOUT_MS,
    });
    if (answer.status === 200) return { lines: split(answer.text, lines), because: null };
    // Without a node there is nobody to ask: registry/core/pod/strategy.go, `LogLocation`.
    if (answer.status === 204) return { lines: [], because: 'The pod is on no node yet' };
    if (answer.status === 403) throw new ApiRefusal('GET', path, answer);
    return { lines: [], because: readStatus(answer.text).message };
  } catch (error) {
    if (error instanceof ApiRefusal) throw error;
    return { lines: [], because: `The kubelet has not answered: ${(error as Error).message}` };
  }
}

const split = (text: string, lines: number): string[] =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .slice(-lines)
    .filter((line, _, all) => all.length > 1 || line !== '')
    .map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line));
