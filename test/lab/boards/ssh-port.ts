import { connect } from 'node:net';

const PATIENCE_MS = 1_000;

/** Whether the SSH port accepts a connection within a second. Without a cable the kernel would try for minutes. */
export function answersOnSsh(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect({ host, port: 22 });
    const end = (answers: boolean): void => {
      connection.destroy();
      resolve(answers);
    };
    connection.setTimeout(PATIENCE_MS, () => end(false));
    connection.once('connect', () => end(true));
    connection.once('error', () => end(false));
  });
}
