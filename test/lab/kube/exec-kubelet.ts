import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Certificate } from './certificates.ts';
import { acceptWebSocket, type ServerSocket } from './server-socket.ts';

/** Protocols of `pods/exec`; only with the first can a client end the standard input. */
export type ExecProtocol = 'v5.channel.k8s.io' | 'v4.channel.k8s.io';

export interface ExecKubeletOptions {
  authority: Certificate;
  own: Certificate;
  /** The CN of who may give commands: the API server. */
  client: string;
  protocols: readonly ExecProtocol[];
}

export interface ExecKubelet {
  port: number;
  close(): void;
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;
const CLOSE = 255;

/**
 * What a kubelet does with commands for containers, on this machine: kwok's own tells no exit code but 0, ends no
 * standard input, and asks nobody for a certificate.
 */
export async function startExecKubelet(options: ExecKubeletOptions): Promise<ExecKubelet> {
  const { authority, own, client } = options;
  const server = createServer({
    ca: readFileSync(authority.certificate),
    cert: readFileSync(own.certificate),
    key: readFileSync(own.key),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (_, response) => response.writeHead(404).end());
  server.on('upgrade', (request, socket) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://kubelet');
    const isClient = socket instanceof TLSSocket && socket.getPeerCertificate().subject.CN === client;
    if (!isClient || !pathname.startsWith('/exec/')) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const accepted = acceptWebSocket(request, socket, options.protocols);
    if (accepted !== undefined) exec(accepted, searchParams);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A command outlives its connection, as it does in a container. */
function exec(socket: ServerSocket, query: URLSearchParams): void {
  const [program = '', ...programArguments] = query.getAll('command');
  const child = spawn(program, programArguments, {
    cwd: '/',
    stdio: [query.get('input') === '1' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  });
  const send = (channel: number, data: Buffer) => socket.send(Buffer.concat([Buffer.of(channel), data]));
  child.stdout?.on('data', (data: Buffer) => send(STDOUT, data));
  child.stderr?.on('data', (data: Buffer) => send(STDERR, data));
  child.stdin?.on('error', () => {});
  socket.onMessage((message) => {
    if (message[0] === STDIN) child.stdin?.write(message.subarray(1));
    else if (message[0] === CLOSE && message[1] === STDIN) child.stdin?.end();
  });
  const finish = (status: object) => {
    send(STATUS, Buffer.from(JSON.stringify({ metadata: {}, ...status })));
    socket.close();
  };
  child.once('error', (error) => {
    const message = `error executing command in container: OCI runtime exec failed: ${error.message}`;
    finish({ status: 'Failure', reason: 'InternalError', message, code: 500 });
  });
  child.once('close', (code, signal) => {
    if (child.pid !== undefined) finish(statusOf(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}

/** k8s.io/cri-streaming/pkg/streaming/remotecommand/exec.go */
function statusOf(code: number): object {
  if (code === 0) return { status: 'Success' };
  return {
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: ${code}`,
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}
