import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** The server's end of a WebSocket, for binary messages of one frame each. */
export interface ServerSocket {
  onMessage(take: (message: Buffer) => void): void;
  send(message: Buffer): void;
  close(): void;
}

/** RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const NORMAL = Buffer.of(0x03, 0xe8);

/** @returns undefined where the client speaks none of the protocols, which it is told */
export function acceptWebSocket(
  { headers }: IncomingMessage,
  socket: Duplex,
  protocols: readonly string[],
): ServerSocket | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const protocol = protocols.find((name) => offered.includes(name));
  if (protocol === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    return undefined;
  }
  const accept = createHash('sha1')
    .update(`${headers['sec-websocket-key'] ?? ''}${GUID}`)
    .digest('base64');
  socket.on('error', () => {});
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
      `Sec-WebSocket-Protocol: ${protocol}`,
      '\r\n',
    ].join('\r\n'),
  );
  const send = (opcode: number, payload: Buffer) => {
    if (socket.writable) socket.write(Buffer.concat([header(opcode, payload.length), payload]));
  };
  return {
    onMessage: (take) => {
      let rest: Buffer = Buffer.alloc(0);
      socket.on('data', (data: Buffer) => {
        rest = Buffer.concat([rest, data]);
        for (;;) {
          const frame = firstFrame(rest);
          if (frame === undefined) return;
          rest = rest.subarray(frame.size);
          if (frame.opcode === BINARY) take(frame.payload);
          else if (frame.opcode === PING) send(PONG, frame.payload);
          else if (frame.opcode === CLOSE) socket.end();
        }
      });
    },
    send: (message) => send(BINARY, message),
    close: () => send(CLOSE, NORMAL),
  };
}

function header(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode;
  if (length < 126) return Buffer.of(first, length);
  const long = Buffer.alloc(length < 65_536 ? 4 : 10);
  long[0] = first;
  if (length < 65_536) {
    long[1] = 126;
    long.writeUInt16BE(length, 2);
  } else {
    long[1] = 127;
    long.writeBigUInt64BE(BigInt(length), 2);
  }
  return long;
}

/** Frames of clients are masked. */
function firstFrame(data: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (data.length < 2) return undefined;
  const short = data.readUInt8(1) & 0x7f;
  const at = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (data.length < at + 4) return undefined;
  const length =
    short === 126 ? data.readUInt16BE(2) : short === 127 ? Number(data.readBigUInt64BE(2)) : short;
  const size = at + 4 + length;
  if (data.length < size) return undefined;
  const payload = Buffer.from(data.subarray(at + 4, size));
  for (let index = 0; index < length; index += 1)
    payload.writeUInt8(payload.readUInt8(index) ^ data.readUInt8(at + (index & 3)), index);
  return { opcode: data.readUInt8(0) & 0x0f, payload, size };
}
