import { DebianPackagesError } from '../../scripts/debian-packages.ts';
import { LabError, labDown, labStatus, labUp } from './slurm-lab.ts';
import type { LabStatus, SlurmLab } from './slurm-lab.ts';

const USAGE = 'Usage: node test/lab/cli.ts up | down | status';

async function main(command = ''): Promise<number> {
  const startedAt = performance.now();
  switch (command) {
    case 'up':
      print(describeLab(await labUp({ log: print })));
      print(`Ready after ${seconds(startedAt)} s.`);
      return 0;
    case 'down':
      await labDown(undefined, print);
      print(`Done after ${seconds(startedAt)} s.`);
      return 0;
    case 'status': {
      const status = await labStatus();
      print(describeStatus(status));
      return status.healthy ? 0 : 1;
    }
    default:
      console.error(USAGE);
      return 2;
  }
}

function describeLab(lab: SlurmLab): string {
  return `
  Slurm for your shell   export SLURM_CONF=${lab.slurmConf}
  Shared storage         ${lab.storageDir}
  Accounts               ${lab.accounts.first}, ${lab.accounts.second}
  Login node             ssh -p ${lab.ssh.port} -i ${lab.ssh.privateKeyFile} ${lab.ssh.user}@${lab.ssh.host}
  Its host key           ${lab.ssh.hostKeySha256}
`;
}

function describeStatus(status: LabStatus): string {
  if (!status.exists) return `There is no lab in ${status.dir}.`;
  const daemons = status.daemons.map(
    ({ name, pid }) => `  ${name.padEnd(14)} ${pid === undefined ? 'does not run' : `pid ${pid}`}`,
  );
  return [
    `The lab in ${status.dir} is ${status.healthy ? 'healthy' : 'NOT healthy; lab:up heals it'}.`,
    ...daemons,
    status.sinfo === '' ? '  slurmctld does not answer' : `\n${status.sinfo.trimEnd()}`,
  ].join('\n');
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function print(line: string): void {
  console.log(line);
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  if (!(error instanceof LabError) && !(error instanceof DebianPackagesError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
