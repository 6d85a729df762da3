import { DebianPackagesError } from '../../../scripts/debian-packages.ts';
import { LabError, boardsDown, boardsStatus, boardsUp } from './boards-lab.ts';
import type { BoardsLab, BoardsStatus } from './boards-lab.ts';

const USAGE = 'Usage: node test/lab/boards/cli.ts up [COUNT] | down | status';

async function main(command = '', count = '2'): Promise<number> {
  const startedAt = performance.now();
  switch (command) {
    case 'up':
      if (!/^[1-9]\d{0,2}$/.test(count)) break;
      print(describeLab(await boardsUp({ boards: Number(count), log: print })));
      print(`Ready after ${seconds(startedAt)} s.`);
      return 0;
    case 'down':
      await boardsDown(undefined, print);
      print(`Done after ${seconds(startedAt)} s.`);
      return 0;
    case 'status': {
      const status = await boardsStatus();
      print(describeStatus(status));
      return status.healthy ? 0 : 1;
    }
  }
  console.error(USAGE);
  return 2;
}

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

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function print(line: string): void {
  console.log(line);
}

try {
  process.exitCode = await main(process.argv[2], process.argv[3]);
} catch (error) {
  if (!(error instanceof LabError) && !(error instanceof DebianPackagesError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
