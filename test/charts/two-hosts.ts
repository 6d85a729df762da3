import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Two network namespaces with a cable between them: `eth0` on both ends, and nothing else. */
export interface TwoHosts {
  first: string;
  second: string;
  remove(): Promise<void>;
}

/**
 * @param name up to 8 letters that no other user of this machine takes at the same time
 * @param addresses of the two ends, with their prefix length
 */
export async function twoHosts(
  name: string,
  addresses: { first: string[]; second: string[] },
): Promise<TwoHosts> {
  const [first, second] = [`${name}-1`, `${name}-2`];
  const remove = async (): Promise<void> => {
    for (const host of [first, second]) await ip('netns', 'delete', host).catch(() => undefined);
  };
  await remove();
  await ip('netns', 'add', first);
  await ip('netns', 'add', second);
  await ip(
    ...['-netns', first, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', second],
  );
  for (const [host, all] of [
    [first, addresses.first],
    [second, addresses.second],
  ] as const) {
    for (const link of ['lo', 'eth0']) await ip('-netns', host, 'link', 'set', link, 'up');
    for (const address of all) await ip('-netns', host, 'address', 'add', address, 'dev', 'eth0');
    await ip('-netns', host, 'route', 'add', 'default', 'dev', 'eth0');
  }
  return { first, second, remove };
}

const ip = (...argv: string[]) => run('ip', argv);
