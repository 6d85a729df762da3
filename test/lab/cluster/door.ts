import { type AddressInfo, connect, createServer } from 'node:net';

/** Where a server that listens on 127.0.0.1 is reached from another network, as one that is somewhere in it. */
export interface Door {
  url: string;
  port: number;
  close(): void;
}

/** It is open as long as this process lives. */
export async function openDoor(address: string, url: string): Promise<Door> {
  const behind = new URL(url);
  const door = createServer((client) => {
    const server = connect(Number(behind.port), behind.hostname);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.pipe(other).on('error', () => one.destroy());
  });
  await new Promise<void>((resolve) => door.listen(0, address, resolve));
  const { port } = door.address() as AddressInfo;
  const outside = new URL(url);
  outside.host = `${address}:${port}`;
  return { url: outside.href, port, close: () => door.close() };
}
