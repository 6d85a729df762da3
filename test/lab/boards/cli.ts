import { runLabCommand } from '../lab-command.ts';
import { boardsDown, boardsStatus, boardsUp } from './boards-lab.ts';
import type { BoardsLab, BoardsStatus } from './boards-lab.ts';

await runLabCommand({
  usage: 'Usage: node test/lab/boards/cli.ts up [COUNT] | down | status',
  up: async ([count = '2'], log) =>
    /^[1-9]\d{0,2}$/.test(count) ? describeLab(await boardsUp({ boards: Number(count), log })) : undefined,
  down: (log) => boardsDown(undefined, log),
  status: async () => {
    const status = await boardsStatus();
    return { text: describeStatus(status), healthy: status.healthy };
  },
});

function describeLab({ boards, packageCacheUrl, subnet }: BoardsLab): string {
  const lines = boards.map(
    ({ name, address, user, password, serial, hostKeyFingerprint }) =>
      `  ${name.padEnd(10)} ssh ${user}@${address}   password ${password}   serial ${serial}   ${hostKeyFingerprint}`,
  );
  return `\n${lines.join('\n')}\n  Subnet     ${subnet}\n  Packages   ${packageCacheUrl}\n`;
}

function describeStatus(status: BoardsStatus): string {
  if (!status.exists) return `There are no boards in ${status.dir}.`;
  const { bridge } = status;
  return [
    `The boards in ${status.dir} are ${status.healthy ? 'healthy' : 'NOT healthy; boards:up heals them'}.`,
    `  ${bridge.name.padEnd(14)} ${bridge.exists ? `bridge, ${bridge.address ?? ''}` : 'is missing'}`,
    ...status.daemons.map(
      ({ name, pid }) => `  ${name.padEnd(14)} ${pid === undefined ? 'does not run' : `pid ${pid}`}`,
    ),
    ...status.boards.map(
      ({ name, address, isOn, answers }) =>
        `  ${name.padEnd(14)} ${address.padEnd(15)} ${isOn ? 'on' : 'off'}${answers ? '' : ', sshd does not answer'}`,
    ),
  ].join('\n');
}
