import type { SlurmNode } from '../../../cluster/cluster.ts';
import {
  type BoardStep,
  differs,
  right,
  type StepContext,
  StepProblem,
  StepWaits,
} from '../../board-step.ts';
import { readBoardFile, writeBoardFile } from '../../board-files.ts';
import { installPackages } from '../../packages.ts';
import { succeed } from '../../succeed.ts';
import { isInService, mustBeTaken, slurmNode } from '../life/slurm-node.ts';
import { nodeDefinition } from './node-definition.ts';
import { parseSlurmd, type SeenSlurmd, SLURMD_PROBE } from './seen-slurmd.ts';
import { hasDynamicNodes, releaseProblem } from './slurm-release.ts';
import {
  defaultsFile,
  DEFAULTS_PATH,
  DROP_IN,
  DROP_IN_PATH,
  slurmConfLine,
  slurmdOptions,
} from './slurmd-files.ts';
import { NO_SLURM, slurmOfSite } from './slurm-of-site.ts';

const UNIT = 'slurmd.service';
/** How long slurmd may take to fetch its configuration and register. */
const REGISTERS_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 500;

/** `srun` is in slurm-client, and mpirun starts its daemons on other nodes with it. */
const PACKAGES = ['slurmd', 'slurm-client'];

/** The board is a node of Slurm's, and takes jobs. */
export const slurmdStep: BoardStep = {
  name: 'slurmd',
  title: 'a node of Slurm',
  roles: ['compute'],
  probe: () => ({ script: SLURMD_PROBE, args: [DEFAULTS_PATH, DROP_IN_PATH] }),
  async check(seen, context) {
    if (context.site.slurm === null) return right(NO_SLURM);
    const slurmd = parseSlurmd(seen);
    const controller = await releaseOfController(context);
    const version = slurmd.installed ?? slurmd.candidate;
    const problem = version === null ? undefined : releaseProblem(controller, version);
    if (problem !== undefined) throw new StepProblem(problem);
    const node = await slurmNode(context);
    refuseUnknown(context, node, [controller, version ?? controller]);
    const difference = onBoard(context, slurmd, node) ?? inSlurm(context, node);
    if (difference !== undefined || node === undefined)
      return differs(difference ?? 'Slurm does not know it');
    const features = node.features.join(', ');
    if (isInService(node)) return right(`${node.state}, ${node.memoryMebibytes} MiB, ${features}`);
    return right(`${stateOf(node)}: left as it is`);
  },
  async apply(context, seen) {
    const slurmd = parseSlurmd(seen);
    const node = await slurmNode(context);
    if (slurmd.installed === null || !slurmd.hasClient) await install(context);
    await configure(context, node);
    if (node !== undefined && isDynamic(node) && joinsAnew(context, node)) await leave(context, node);
    const { connection } = context;
    await succeed(connection, { argv: ['systemctl', 'unmask', '--runtime', UNIT], root: true });
    await succeed(connection, { argv: ['systemctl', 'enable', '--quiet', UNIT], root: true });
    await succeed(connection, { argv: ['systemctl', 'restart', UNIT], root: true, timeoutMs: 120_000 });
    return registered(context);
  },
};

async function releaseOfController({ slurm }: StepContext): Promise<string> {
  const answer = await slurm.nodes.release();
  if (answer.kind === 'present') return answer.value;
  const because = answer.kind === 'unknown' ? `: ${answer.because}` : '.';
  throw new StepProblem(`Slurm does not tell its release${because}`, { passing: true });
}

/** A node that slurm.conf names keeps to what it says there. */
const isDynamic = ({ flags }: SlurmNode): boolean => flags.includes('dynamic_norm');

/** @throws StepProblem where Slurm knows no such node, and is too old to take one by itself */
function refuseUnknown(
  { board, facts }: StepContext,
  node: SlurmNode | undefined,
  releases: readonly string[],
): void {
  if (node !== undefined || releases.every(hasDynamicNodes)) return;
  const line = slurmConfLine(board, facts.cpus, nodeDefinition(facts));
  throw new StepProblem(
    `Slurm ${releases[0] ?? ''} takes no nodes that slurm.conf does not name. Add this line to the controller's slurm.conf, ` +
      `and the node to a partition, restart slurmctld, and enrol again: ${line}`,
  );
}

const optionsFor = ({ site, facts }: StepContext, node: SlurmNode | undefined): string[] =>
  slurmdOptions(slurmOfSite(site), node === undefined || isDynamic(node) ? nodeDefinition(facts) : null);

/** What is not as it should be on the board. */
function onBoard(context: StepContext, slurmd: SeenSlurmd, node: SlurmNode | undefined): string | undefined {
  const options = optionsFor(context, node);
  if (slurmd.installed === null) return 'slurmd is not installed';
  if (!slurmd.hasClient) return 'slurm-client is not installed';
  if (slurmd.defaults !== defaultsFile(options)) return `${DEFAULTS_PATH} has other options`;
  if (slurmd.dropIn !== DROP_IN) return `${DROP_IN_PATH} is not as it should be`;
  if (slurmd.needsReload) return `systemd has not read ${DROP_IN_PATH} as it is`;
  if (!slurmd.isEnabled) return 'slurmd does not start with the board';
  if (!slurmd.isActive) return 'slurmd does not run';
  if (!options.every((option) => slurmd.running.includes(option))) return 'slurmd runs with other options';
  return undefined;
}

/** What is not as it should be in Slurm. A node that somebody has drained stays so. */
function inSlurm(context: StepContext, node: SlurmNode | undefined): string | undefined {
  if (node === undefined) return 'Slurm does not know it';
  if (isElsewhere(context, node)) return `Slurm has it at ${node.address}, not at ${context.board.address}`;
  if (isDynamic(node) && isDefinedOtherwise(context, node))
    return `Slurm has it with ${node.memoryMebibytes} MiB and the features ${node.features.join(', ') || 'none'}`;
  if (node.flags.includes('not_responding') || OUT_BY_ITSELF.has(node.state))
    return `Slurm has it as ${stateOf(node)}`;
  return undefined;
}

const OUT_BY_ITSELF = new Set(['down', 'unknown', 'inval', 'error', 'future']);

const stateOf = ({ state, flags, reason }: SlurmNode): string =>
  `${[state, ...flags].join('+')}${reason === null ? '' : ` (${reason})`}`;

const isElsewhere = ({ board, site }: StepContext, { address }: SlurmNode): boolean =>
  ![board.address, board.name, `${board.name}.${site.domain}`].includes(address);

/** slurmctld keeps what it was told when the node joined first: only a node that it has forgotten tells anew. */
function isDefinedOtherwise({ facts }: StepContext, node: SlurmNode): boolean {
  const { memoryMebibytes, features } = nodeDefinition(facts);
  return (
    node.memoryMebibytes !== memoryMebibytes || !features.every((feature) => node.features.includes(feature))
  );
}

const joinsAnew = (context: StepContext, node: SlurmNode): boolean =>
  isElsewhere(context, node) || isDefinedOtherwise(context, node);

/** Debian 13 starts slurmd while it is installed, and waits 90 s in vain: it is masked until it has its options. */
async function install(context: StepContext): Promise<void> {
  await succeed(context.connection, { argv: ['systemctl', 'mask', '--runtime', UNIT], root: true });
  await installPackages(context, PACKAGES);
}

async function configure(context: StepContext, node: SlurmNode | undefined): Promise<void> {
  const { connection } = context;
  await succeed(connection, { argv: ['mkdir', '-p', DROP_IN_PATH.replace(/\/[^/]*$/, '')], root: true });
  const files: [string, string][] = [
    [DEFAULTS_PATH, defaultsFile(optionsFor(context, node))],
    [DROP_IN_PATH, DROP_IN],
  ];
  for (const [path, content] of files)
    if ((await readBoardFile(connection, path)) !== content) await writeBoardFile(connection, path, content);
  await succeed(connection, { argv: ['systemctl', 'daemon-reload'], root: true });
}

/**
 * Has Slurm forget the node, so that it joins with what it is now. slurmd is stopped before: it would register again.
 * @throws StepWaits while jobs run there
 */
async function leave(context: StepContext, node: SlurmNode): Promise<void> {
  const { slurm, connection } = context;
  if (isElsewhere(context, node)) await refuseAnother(context, node);
  mustBeTaken(await slurm.nodes.drain(node.name, 'Bramble: joins anew'), 'drain');
  if (node.cpusAllocated > 0)
    throw new StepWaits(`Jobs run on ${node.cpusAllocated} CPUs of "${node.name}", which is to join anew.`);
  await succeed(connection, { argv: ['systemctl', 'stop', UNIT], root: true, timeoutMs: 120_000 });
  mustBeTaken(await slurm.nodes.remove(node.name), 'remove');
  await context.say(`Slurm has forgotten the node at ${node.address}.\n`);
}

/** `$1` address: fails where it is this board's own, or nobody listens on slurmd's port there. */
const OTHER_SLURMD = `
ip -4 -o address show | grep -qF " $1/" && exit 1
timeout 3 bash -c '< "/dev/tcp/$0/6818"' "$1" 2> /dev/null
`;

/** @throws StepProblem where another machine answers as the node: its jobs would be lost */
async function refuseAnother({ connection, board }: StepContext, { address }: SlurmNode): Promise<void> {
  const end = await connection.run({ argv: ['sh', '-c', OTHER_SLURMD, 'sh', address], root: true });
  if (end.kind === 'exited' && end.code !== 0) return;
  if (end.kind !== 'exited') throw new StepProblem(`The board went away: ${end.because}`, { passing: true });
  throw new StepProblem(
    `Another slurmd answers at ${address}, where Slurm has the node "${board.name}". Stop it there, or give this board another name.`,
  );
}

/** Waits until jobs may start on the node. */
async function registered(context: StepContext): Promise<string> {
  const deadline = context.now().getTime() + REGISTERS_WITHIN_MS;
  for (;;) {
    const node = await slurmNode(context);
    if (node !== undefined && isInService(node) && !isElsewhere(context, node))
      return `${node.name} is ${node.state}, with ${node.memoryMebibytes} MiB and ${node.features.join(', ')}`;
    const isUp = node !== undefined && !node.flags.includes('not_responding');
    if (isUp && node.flags.includes('drain')) return `${node.name} is ${stateOf(node)}: left as it is`;
    // After an unexpected restart Slurm keeps a node down, unless ReturnToService is 2.
    if (isUp && node.state === 'down') mustBeTaken(await context.slurm.nodes.resume(node.name), 'resume');
    if (context.now().getTime() >= deadline) throw await notRegistered(context, node);
    await context.pause(LOOK_AGAIN_MS);
  }
}

const HINT =
  'slurm.conf needs SlurmctldParameters=enable_configless and a MaxNodeCount that leaves room, and the controller has to reach port 6818 of the board';

async function notRegistered(context: StepContext, node: SlurmNode | undefined): Promise<StepProblem> {
  const { stdout } = await succeed(context.connection, {
    argv: ['journalctl', '--unit', UNIT, '--lines', '15', '--no-pager', '--output', 'cat'],
    root: true,
  });
  const state = node === undefined ? `does not know it; ${HINT}` : `has it as ${stateOf(node)}`;
  return new StepProblem(
    `slurmd was started, and Slurm ${state}. The end of slurmd's log:\n${stdout.trim().slice(-2000)}`,
  );
}
