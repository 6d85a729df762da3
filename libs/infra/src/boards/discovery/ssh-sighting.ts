import { connect, type Socket } from 'node:net';
import { Client } from 'ssh2';
import { fingerprintOf } from '#infra/ssh/host-key';

/** Whether somebody answers on a port: with an SSH server, with something else or by refusing, or not at all. */
export type PortSighting = { kind: 'ssh'; banner: string } | { kind: 'answers' } | { kind: 'silent' };

/** RFC 4253, 4.2: a line of up to 255 characters, before which others may come. */
const MOST_BANNER_BYTES = 4096;
const NO_USER = 'nobody';

/** A board that is busy accepts a connection long before its sshd says something. */
const BANNER_WITHIN_MS = 10_000;

/**
 * Connects, and listens to what is said first. Nothing is sent.
 * @param connectWithinMs how long it may take until somebody answers
 */
export function portSighting(address: string, port: number, connectWithinMs: number): Promise<PortSighting> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let isOpen = false;
    let text = '';
    const end = (sighting: PortSighting) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(sighting);
    };
    const giveUp = () => end({ kind: isOpen ? 'answers' : 'silent' });
    let timer = setTimeout(giveUp, connectWithinMs);
    socket.on('connect', () => {
      isOpen = true;
      clearTimeout(timer);
      timer = setTimeout(giveUp, BANNER_WITHIN_MS);
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const banner = bannerIn(text);
      if (banner !== undefined) end({ kind: 'ssh', banner });
      else if (text.length > MOST_BANNER_BYTES) giveUp();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET') end({ kind: 'answers' });
      else giveUp();
    });
    socket.on('close', giveUp);
  });
}

/** The first whole line with which an SSH server names itself, without what no terminal should get. */
export function bannerIn(text: string): string | undefined {
  const line = /^(SSH-[^\r\n]{1,251})\r?\n/m.exec(text)?.[1];
  return line?.replace(/[^\x20-\x7e]/g, '?');
}

/**
 * The host key that an SSH server shows: the key exchange is broken off at it, before anybody signs in.
 * @returns null where it shows none in time
 */
export function hostKeySighting(address: string, port: number, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const client = new Client();
    const socket: Socket = connect({ host: address, port });
    let shown: string | null = null;
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(shown);
    };
    const timer = setTimeout(end, timeoutMs);
    socket.on('error', end);
    client.on('error', end);
    client.on('close', end);
    client.connect({
      sock: socket,
      username: NO_USER,
      hostVerifier: (key: Buffer) => {
        shown = fingerprintOf(key);
        return false;
      },
      readyTimeout: 0,
    });
  });
}
