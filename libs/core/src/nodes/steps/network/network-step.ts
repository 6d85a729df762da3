import type { BoardNetwork } from '../../board.ts';
import { type BoardStep, differs, right, type StepContext, StepProblem } from '../../board-step.ts';
import { succeed } from '../../succeed.ts';
import { arriveAt, beginChange, keepChange, undoNow, waitForUndo } from './change-network.ts';
import { contradictionIn } from './ipv4.ts';
import { networkProbe } from './network-probe.ts';
import { type NetworkPlan, planNetwork } from './plan-network.ts';
import { parseNetwork, type SeenNetwork } from './seen-network.ts';

const UNDO_AFTER_MS = 90_000;
/** Of the time until the undo; the rest is for looking, and for keeping the change. */
const ARRIVE_WITHIN = 0.8;

/**
 * Sees to it that a board has the static address that it is to have, now and after every start. Before anything is
 * changed, the board is told to undo it by itself, unless it is found at the new address in time.
 * @param options.undoAfterMs how long the board waits to be found; default 90,000
 */
export function networkStepWith({ undoAfterMs = UNDO_AFTER_MS }: { undoAfterMs?: number } = {}): BoardStep {
  return {
    name: 'network',
    title: 'the static address',
    roles: null,
    probe: ({ board: { address, network } }) =>
      network === null ? { script: 'true' } : networkProbe(address, network.address),
    async check(text, context) {
      const { board, boards } = context;
      const { network } = board;
      if (network === null) return right('left as it is');
      refuseNonsense(network);
      refuseAnothersAddress(network, board.id, boards);
      const seen = parseNetwork(text);
      if (seen.taken !== undefined)
        throw new StepProblem(
          `Another machine has the address ${network.address}: it ${seen.taken}. Choose another address, or switch it off.`,
        );
      if (seen.addresses.every(({ address }) => address !== network.address))
        await refuseWhileJobsRun(context);
      const plan = planNetwork(seen, network);
      const differences = [
        ...differencesOf(seen, plan, network),
        ...(seen.isArmed ? ['a change was interrupted'] : []),
        ...(board.address === network.address ? [] : [`the board is known by ${board.address}`]),
      ];
      return differences.length === 0
        ? right(`${said(network)}, by ${plan.manager}`)
        : differs(differences.join('; '));
    },
    async apply(context, text) {
      const { board } = context;
      const network = board.network;
      if (network === null) throw new Error('there is no network to apply');
      let seen = parseNetwork(text);
      if (seen.isArmed) {
        const isRight = differencesOf(seen, planNetwork(seen, network), network).length === 0;
        if (isRight && (await keepChange(context))) return settled(context, network, 'kept');
        await undoNow(context);
        seen = await waitForUndo(context, addressOf(seen, context, network), { undoAfterMs });
      }
      const plan = planNetwork(seen, network);
      if (differencesOf(seen, plan, network).length === 0) return settled(context, network, 'kept');
      await change(context, plan, network, { undoAfterMs, before: addressOf(seen, context, network) });
      return settled(context, network, `set by ${plan.manager}:`);
    },
  };
}

export const networkStep = networkStepWith();

async function change(
  context: StepContext,
  plan: NetworkPlan,
  network: BoardNetwork,
  { undoAfterMs, before }: { undoAfterMs: number; before: string },
): Promise<void> {
  const { address } = network;
  const { machineId } = context.facts;
  await context.say(`${plan.manager} gives ${plan.interface} ${said(network)}: ${filesOf(plan)}\n`);
  await beginChange(context, plan, { address, undoAfterMs });
  try {
    const seen = await arriveAt(context, address, { withinMs: undoAfterMs * ARRIVE_WITHIN });
    const { stdout } = await succeed(context.connection, { argv: ['cat', '/etc/machine-id'] });
    if (stdout.trim() !== machineId) throw new StepProblem('another board answers there');
    const differences = differencesOf(seen, planNetwork(seen, network), network);
    if (differences.length > 0) {
      await undoNow(context);
      throw new StepProblem(differences.join('; '));
    }
    if (!(await keepChange(context))) throw new StepProblem('it was too late');
  } catch (error) {
    if (!(error instanceof StepProblem)) throw error;
    await context.say(`${error.message}\nThe board goes back to its old settings.\n`);
    const after = await waitForUndo(context, before, { undoAfterMs });
    // The answer that it is kept may have been lost.
    if (differencesOf(after, planNetwork(after, network), network).length === 0) return;
    throw new StepProblem(
      `The board was not found at ${said(network)}: ${error.message}. Its old settings are in force again, at ${before}.`,
    );
  }
}

async function settled(context: StepContext, network: BoardNetwork, how: string): Promise<string> {
  const { address } = network;
  if (context.board.address !== address) await context.changeBoard({ address });
  return `${how} ${said(network)}`;
}

/** What is not as it is to be, in words. */
function differencesOf(seen: SeenNetwork, plan: NetworkPlan, network: BoardNetwork): string[] {
  const { address, prefixLength, gateway } = network;
  const addresses = seen.addresses.filter(({ interface: name }) => name === plan.interface);
  const isAsWanted = (one: (typeof addresses)[number]): boolean =>
    one.address === address && one.prefixLength === prefixLength && !one.leased;
  const isAddressRight = addresses.some(isAsWanted) && !addresses.some(({ leased }) => leased);
  const files = plan.files.filter(({ path, render }) => {
    const current = seen.files.get(path);
    return render(current ?? '') !== current;
  });
  return [
    ...(isAddressRight
      ? []
      : [
          `${plan.interface} has ${addresses
            .map((one) => `${one.address}/${one.prefixLength}${one.leased ? ' by DHCP' : ''}`)
            .join(', ')}, not ${address}/${prefixLength}`,
        ]),
    ...(seen.gateways.join() === (gateway ?? '')
      ? []
      : [`its gateway is ${seen.gateways.join(', ') || 'none'}, not ${gateway ?? 'none'}`]),
    ...files.map(({ path }) => `${path} does not say so`),
  ];
}

/** Where the board is while it is as it was seen. */
function addressOf(seen: SeenNetwork, { board }: StepContext, network: BoardNetwork): string {
  return seen.addresses.some(({ address }) => address === board.address) ? board.address : network.address;
}

function refuseNonsense(network: BoardNetwork): void {
  const contradiction = contradictionIn(network);
  if (contradiction !== undefined)
    throw new StepProblem(`The network settings cannot be so: ${contradiction}. Nothing was changed.`);
}

function refuseAnothersAddress({ address }: BoardNetwork, id: string, boards: StepContext['boards']): void {
  const other = boards.find(
    (board) => board.id !== id && (board.address === address || board.network?.address === address),
  );
  if (other === undefined) return;
  throw new StepProblem(`${address} is the address of "${other.name}". Choose another one.`);
}

/** Their steps talk to the node by the address that they were started with. */
async function refuseWhileJobsRun({ board: { name }, site, slurm }: StepContext): Promise<void> {
  if (site.slurm === null) return;
  const node = await slurm.nodes.find(name);
  if (node.kind !== 'present' || node.value.cpusAllocated === 0) return;
  throw new StepProblem(
    `Jobs run on "${name}", and would be lost with its address. Drain it, and apply when they have ended.`,
  );
}

const said = ({ address, prefixLength, gateway }: BoardNetwork): string =>
  `${address}/${prefixLength}${gateway === null ? '' : ` with the gateway ${gateway}`}`;

const filesOf = ({ files }: NetworkPlan): string => files.map(({ path }) => path).join(', ');
