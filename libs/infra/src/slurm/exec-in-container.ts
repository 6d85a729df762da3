import type { RequestOptions } from 'node:https';
import { KubernetesUnavailable } from '#core/cluster/kubernetes-nodes';
import { type KubernetesAccess, loadKubernetes } from '#infra/kubernetes/kubernetes-access';
import { describeCallFailure } from '#infra/kubernetes/kubernetes-failure';
import type { RemoteEnd } from '#infra/ssh/remote-command';
import { readExecStatus } from './exec-status.ts';
import { rightsNeeded } from './find-login-pod.ts';
import type { ShellCommand } from './run-in-shell.ts';

export interface Container {
  namespace: string;
  pod: string;
  container: string;
}

/** Channels of a connection, each message's first byte. https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets */
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;
const CLOSE = 255;
/** The first protocol in which a client can end the standard input. */
const V5 = 'v5.channel.k8s.io';
const INPUT_CHUNK_BYTES = 64 * 1024;

/** What is used of the WebSocket that the client makes. */
interface ExecSocket {
  readonly protocol: string;
  readonly readyState: number;
  onclose: (event: { code: number; reason: string }) => void;
  onerror: (event: { message: string }) => void;
  send(data: Buffer): void;
  terminate(): void;
}
const OPEN = 1;

/**
 * Runs one line for a POSIX shell in a container of a pod. The line has to take its input by its size: with servers
 * before v5 of the protocol, and with some container runtimes, its end is never told.
 */
export async function execInContainer(
  access: KubernetesAccess,
  container: Container,
  command: ShellCommand,
): Promise<RemoteEnd> {
  // Loaded where a cluster is configured only: it takes 90 MB.
  const { KubeConfig, Exec } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  let server: string;
  try {
    ({ server } = loadKubernetes(access, config));
  } catch (error) {
    if (!(error instanceof KubernetesUnavailable)) throw error;
    return { kind: 'unreachable', because: error.message };
  }
  const late = new AbortController();
  const applyOptions = config.applyToHTTPSOptions.bind(config);
  config.applyToHTTPSOptions = async (options) => {
    await applyOptions(options);
    late.signal.throwIfAborted();
    Object.assign(options as RequestOptions, { signal: late.signal });
  };
  const { promise, resolve } = Promise.withResolvers<RemoteEnd>();
  let socket: ExecSocket | undefined;
  const giveUp = (end: RemoteEnd) => {
    resolve(end);
    socket?.terminate();
    late.abort();
  };
  const startTimer = setTimeout(
    () => {
      const because = `the API server ${server} has not begun to run it within ${command.startWithinMs} ms`;
      giveUp({ kind: command.input === undefined ? 'lost' : 'unreachable', because });
    },
    Math.max(0, command.startWithinMs),
  );
  let lifeTimer: NodeJS.Timeout | undefined;
  const onStop = () => giveUp({ kind: 'stopped' });
  command.stop?.addEventListener('abort', onStop);

  const onMessage = (channel: number, data: Buffer): boolean => {
    switch (channel) {
      case STDOUT:
        command.onOutput('stdout', data);
        return true;
      case STDERR:
        command.onOutput('stderr', data);
        return true;
      case STATUS:
        // Kubelets greet with an empty message on the lowest channel, which may be this one.
        if (data.length === 0) return true;
        resolve(readExecStatus(data.toString('utf8')));
        return false;
      default:
        return true;
    }
  };
  const opening = new Exec(config).handler.connect(
    pathOf(container, command),
    null,
    onMessage,
  ) as Promise<unknown>;
  opening.then(
    (opened) => {
      socket = opened as ExecSocket;
      if (late.signal.aborted) {
        socket.terminate();
        return;
      }
      clearTimeout(startTimer);
      lifeTimer = setTimeout(() => giveUp({ kind: 'timed_out' }), command.timeoutMs);
      const lost = (because: string) => resolve({ kind: 'lost', because });
      socket.onerror = ({ message }) => lost(`the connection to the API server broke: ${message}`);
      socket.onclose = ({ code }) =>
        lost(`the API server closed the connection without an exit status (code ${code})`);
      if (socket.readyState !== OPEN) lost('the API server closed the connection at once');
      else if (command.input !== undefined) sendInput(socket, Buffer.from(command.input));
    },
    (error: unknown) => resolve(notOpened(server, container, error, command.input !== undefined)),
  );
  try {
    return await promise;
  } finally {
    clearTimeout(startTimer);
    clearTimeout(lifeTimer);
    command.stop?.removeEventListener('abort', onStop);
  }
}

function pathOf({ namespace, pod, container }: Container, { commandLine, input }: ShellCommand): string {
  const query = new URLSearchParams({ container, stdout: 'true', stderr: 'true' });
  if (input !== undefined) query.set('stdin', 'true');
  for (const word of ['sh', '-c', commandLine]) query.append('command', word);
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec?${query.toString()}`;
}

function sendInput(socket: ExecSocket, input: Buffer): void {
  for (let at = 0; at < input.length; at += INPUT_CHUNK_BYTES)
    socket.send(Buffer.concat([Buffer.of(STDIN), input.subarray(at, at + INPUT_CHUNK_BYTES)]));
  if (socket.protocol === V5) socket.send(Buffer.of(CLOSE, STDIN));
}

/** @param hasInput a command that waits for input that was never sent was certainly not started */
function notOpened(
  server: string,
  { namespace, pod }: Container,
  event: unknown,
  hasInput: boolean,
): RemoteEnd {
  const error = errorOf(event);
  const code = Number(/^Unexpected server response: (\d{3})$/.exec(error.message)?.[1]);
  if (code === 403) {
    const because = `the API server does not let Bramble run commands in the pod ${pod} of the namespace ${namespace} (403). ${rightsNeeded(namespace)}`;
    return { kind: 'unreachable', because };
  }
  if (code >= 400 && code < 500) {
    const because =
      code === 401
        ? `The API server ${server} does not know who asks (401): has the certificate or the token expired?`
        : `The API server ${server} runs no commands in the pod ${pod} of the namespace ${namespace} (${code})`;
    return { kind: 'unreachable', because };
  }
  const because =
    code >= 500
      ? `The API server ${server} does not reach the pod ${pod} of the namespace ${namespace} (${code}): does its node run?`
      : describeCallFailure(server, error).message;
  return { kind: hasInput || wasNeverConnected(error) ? 'unreachable' : 'lost', because };
}

/** The client rejects with an event that carries the error. */
function errorOf(event: unknown): Error {
  if (event instanceof Error) return event;
  if (typeof event === 'object' && event !== null && 'error' in event && event.error instanceof Error)
    return event.error;
  return new Error(String(event));
}

/** Nothing can have been sent before the name was looked up, a connection made, and the server's certificate trusted. */
function wasNeverConnected(error: Error): boolean {
  if (error instanceof AggregateError)
    return error.errors.every((each) => each instanceof Error && wasNeverConnected(each));
  if ('syscall' in error) return error.syscall === 'connect' || error.syscall === 'getaddrinfo';
  return 'code' in error && typeof error.code === 'string' && /CERT|SIGNATURE|SSL|TLS/.test(error.code);
}
