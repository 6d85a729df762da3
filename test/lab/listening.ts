import { connect } from 'node:net';
import type { NetConnectOpts } from 'node:net';

/** Whether somebody accepts connections on a port or a Unix socket. */
export function isListening(target: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(target);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => {
      resolve(false);
    });
  });
}
