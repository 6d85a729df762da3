import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { pathToFileURL } from 'node:url';

/** What the firmware of a Raspberry Pi learns before it has an address. */
export interface Offer {
  address: string;
  nextServer: string;
  /** By code; text as it stands in the packet. */
  options: Record<number, string>;
}

export interface Start {
  /** null where nobody answers in time. */
  offer: Offer | null;
  /** The file that was asked for; null where it is not served, or there is nobody to ask. */
  file: string | null;
}

const OFFER_TIMEOUT_MS = 4_000;
const TFTP_TIMEOUT_MS = 2_000;
const MAGIC = Buffer.from([0x63, 0x82, 0x53, 0x63]);

/**
 * What a board does to start from the network, as far as a server can see: DHCPDISCOVER as a PXE client, then a file by
 * TFTP from the server that the offer names. Needs port 68 of the network it runs in.
 * @param server asks this one for the file, whatever the offer says
 */
export async function start(mac: string, path: string, server?: string): Promise<Start> {
  const offer = await discover(mac);
  const from =
    server ?? (offer === null ? undefined : (offer.options[66]?.split('\0')[0] ?? offer.nextServer));
  return { offer, file: from === undefined || from === '0.0.0.0' ? null : await fetchFile(from, path) };
}

async function discover(mac: string): Promise<Offer | null> {
  const socket = createSocket('udp4');
  socket.bind(68);
  await once(socket, 'listening');
  socket.setBroadcast(true);
  try {
    const transaction = randomInt(2 ** 32 - 1);
    socket.send(discoverMessage(mac, transaction), 67, '255.255.255.255');
    const giveUpAt = Date.now() + OFFER_TIMEOUT_MS;
    for (;;) {
      const reply = await nextMessage(socket, giveUpAt - Date.now());
      if (reply === null) return null;
      if (reply.readUInt32BE(4) === transaction) return parseOffer(reply);
    }
  } finally {
    socket.close();
  }
}

function discoverMessage(mac: string, transaction: number): Buffer {
  const header = Buffer.alloc(236);
  header.set([1, 1, 6, 0]);
  header.writeUInt32BE(transaction, 4);
  header.writeUInt16BE(0x8000, 10); // the answer by broadcast
  Buffer.from(mac.replaceAll(':', ''), 'hex').copy(header, 28);
  const option = (code: number, value: Buffer): Buffer =>
    Buffer.concat([Buffer.from([code, value.length]), value]);
  return Buffer.concat([
    header,
    MAGIC,
    option(53, Buffer.from([1])),
    option(55, Buffer.from([1, 3, 43, 60, 66, 67])),
    option(60, Buffer.from('PXEClient:Arch:00000:UNDI:002001')),
    option(93, Buffer.from([0, 0])),
    option(94, Buffer.from([1, 2, 1])),
    option(97, Buffer.concat([Buffer.from([0]), Buffer.alloc(16, 0x52)])),
    Buffer.from([255]),
  ]);
}

function parseOffer(message: Buffer): Offer {
  const options: Record<number, string> = {};
  for (let at = 240; at < message.length && message[at] !== 255;) {
    const length = message[at + 1] ?? 0;
    options[message[at] ?? 0] = message.toString('latin1', at + 2, at + 2 + length);
    at += 2 + length;
  }
  const address = (at: number): string => [...message.subarray(at, at + 4)].join('.');
  return { address: address(16), nextServer: address(20), options };
}

/** The first block is all that a small file has. */
async function fetchFile(server: string, path: string): Promise<string | null> {
  const socket = createSocket('udp4');
  try {
    socket.send(Buffer.concat([Buffer.from([0, 1]), Buffer.from(`${path}\0octet\0`)]), 69, server);
    const answer = await nextMessage(socket, TFTP_TIMEOUT_MS);
    return answer?.readUInt16BE(0) === 3 ? answer.toString('utf8', 4) : null;
  } finally {
    socket.close();
  }
}

async function nextMessage(socket: Socket, timeoutMs: number): Promise<Buffer | null> {
  if (timeoutMs <= 0) return null;
  try {
    const [message] = (await once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) })) as [Buffer];
    return message;
  } catch {
    return null;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [mac = '', path = '', server = ''] = process.argv.slice(2);
  console.log(JSON.stringify(await start(mac, path, server === '' ? undefined : server)));
}
