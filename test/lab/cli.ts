import { runLabCommand } from './lab-command.ts';
import { labDown, labStatus, labUp } from './slurm-lab.ts';
import type { LabStatus, SlurmLab } from './slurm-lab.ts';

await runLabCommand({
  usage: 'Usage: node test/lab/cli.ts up | down | status',
  up: async (_, log) => describeLab(await labUp({ log })),
  down: (log) => labDown(undefined, log),
  status: async () => {
    const status = await labStatus();
    return { text: describeStatus(status), healthy: status.healthy };
  },
});

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
