import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../lab/boards/command.ts';
import { lab, oneAccount } from './bramble-values.ts';
import { renderChart } from './render.ts';
import { container, workload } from './workloads.ts';

// The rights that the chart gives to containers, on a directory in the place of the shared volume.

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = 'test/charts/programs/worker-on-storage.ts';
const JOB = `job_${'0'.repeat(26)}`;
const ALICE = 20_001;

interface Rights {
  uid: number;
  gid: number;
  capabilities: readonly string[];
}

let directory: string;
let root: string;
let worker: Rights;
let api: Rights;
let single: Rights;
let preparing: { rights: Rights; command: string[] };

const rightsIn = async (values: object, component: string, name: string): Promise<Rights> => {
  const from = workload(await renderChart('bramble', { values }), `bramble-${component}`);
  const { runAsUser, capabilities } = container(from, name).securityContext;
  const { securityContext } = from.pod;
  return {
    uid: runAsUser ?? securityContext.runAsUser,
    gid: securityContext.runAsGroup,
    capabilities: capabilities.add ?? [],
  };
};

beforeAll(async () => {
  [worker, api, single] = await Promise.all([
    rightsIn(lab, 'worker', 'worker'),
    rightsIn(lab, 'api', 'api'),
    rightsIn(oneAccount, 'worker', 'worker'),
  ]);
  const { command = [] } = container(
    workload(await renderChart('bramble', { values: lab }), 'bramble-api'),
    'storage',
  );
  preparing = { rights: await rightsIn(lab, 'api', 'storage'), command };
  directory = mkdtempSync(join(tmpdir(), 'bramble-rights-'));
  await chmod(directory, 0o755);
  passable.checkout = join(directory, 'checkout');
  passable.node = join(directory, 'node');
  await mkdir(passable.checkout);
  await writeFile(passable.node, '');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let attempt = 0;
beforeEach(async () => {
  attempt += 1;
  root = join(directory, String(attempt), 'storage');
  await mkdir(root, { recursive: true });
});

/** With exactly these rights, as a container without new privileges has them. */
const withRights = ({ uid, gid, capabilities }: Rights, command: readonly string[]) => [
  'setpriv',
  ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', '--inh-caps=-all'],
  `--bounding-set=${['-all', ...capabilities.map((name) => `+${name.toLowerCase()}`)].join(',')}`,
  ...command,
];

/**
 * The checkout and its Node at a place where every account may pass: a home directory of root, where they may be, lets
 * nobody in.
 */
const passable = { checkout: '', node: '' };
const inPassablePlace = (argv: readonly string[]) => [
  ...['unshare', '--mount', 'sh', '-euc'],
  'mount --bind "$1" "$2"; mount --bind "$3" "$4"; shift 4; exec "$@"',
  ...['sh', CHECKOUT, passable.checkout, process.execPath, passable.node],
  ...argv,
];

const work = (rights: Rights, step: string, group: number | '', ...rest: string[]) =>
  runCommand(
    inPassablePlace(
      withRights(rights, [
        passable.node,
        ...[join(passable.checkout, PROGRAM), step, root, String(group), ...rest],
      ]),
    ),
  );

const prepare = () =>
  runCommand(
    withRights(
      preparing.rights,
      preparing.command.map((word) =>
        word
          .replaceAll('/srv/bramble/storage', root)
          .replaceAll('/var/lib/bramble', join(directory, String(attempt), 'home')),
      ),
    ),
  );

/** What a job leaves behind, of which it lets nobody else in. */
async function leave(account: number): Promise<void> {
  const out = join(root, 'runs', JOB, 'out');
  await mkdir(out, { mode: 0o700 });
  await writeFile(join(out, 'result.csv'), 'a,b\n', { mode: 0o600 });
  await Promise.all([out, join(out, 'result.csv')].map((path) => chown(path, account, account)));
}

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

describe('a worker with the rights that the chart gives it', () => {
  it('makes run directories for an account and reads what comes of them', async () => {
    expect(await work(worker, 'stage', worker.gid, JOB, String(ALICE))).toMatchObject({ exitCode: 0 });
    const run = join(root, 'runs', JOB);
    expect(statSync(run)).toMatchObject({ uid: ALICE, gid: worker.gid });
    // The set-group-id bit makes what the job leaves there readable to the api's group.
    expect([modeOf(run), modeOf(join(run, 'data')), modeOf(join(run, 'data/input.txt'))]).toEqual([
      ...['2750', '2750', '600'],
    ]);
    await leave(ALICE);
    const collected = await work(worker, 'collect', worker.gid, JOB);
    expect(collected, collected.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(collected.stdout)).toEqual({
      log: '',
      files: [{ path: 'out/result.csv', size: 4 }],
    });
  });

  it('removes what was left half-made', async () => {
    const abandoned = join(root, 'runs', '.staging', `${JOB}.abandoned`);
    await mkdir(join(abandoned, 'inner'), { recursive: true, mode: 0o700 });
    await Promise.all(
      [abandoned, dirname(abandoned), join(abandoned, 'inner')].map((path) => chown(path, ALICE, ALICE)),
    );
    const { stdout } = await work(worker, 'sweep', worker.gid);
    expect(stdout).toBe('1\n');
  });

  it('has none too many', async () => {
    const steps = async (rights: Rights): Promise<boolean> => {
      root = join(directory, `without-${rights.capabilities.join('-')}`, 'storage');
      await mkdir(root, { recursive: true });
      const staged = await work(rights, 'stage', rights.gid, JOB, String(ALICE));
      if (staged.exitCode !== 0) return false;
      await leave(ALICE);
      const { exitCode, stdout } = await work(rights, 'collect', rights.gid, JOB);
      return exitCode === 0 && stdout.includes('result.csv');
    };
    expect(worker.capabilities.length).toBeGreaterThan(0);
    for (const capability of worker.capabilities) {
      const capabilities = worker.capabilities.filter((name) => name !== capability);
      expect(await steps({ ...worker, capabilities }), `without ${capability}`).toBe(false);
    }
  });

  it('needs none for one account of all jobs', async () => {
    await Promise.all([root, dirname(root)].map((path) => chown(path, single.uid, single.gid)));
    expect(single.capabilities).toEqual([]);
    const staged = await work(single, 'stage', '', JOB, String(single.uid));
    expect(staged, staged.stderr).toMatchObject({ exitCode: 0 });
    await leave(single.uid);
    const { stdout } = await work(single, 'collect', '', JOB);
    expect(JSON.parse(stdout)).toMatchObject({ files: [{ path: 'out/result.csv' }] });
  });
});

describe('what prepares the storage for the api', () => {
  it('opens it to the group of the api, again and again', async () => {
    await mkdir(join(directory, String(attempt), 'home'));
    for (const _ of ['first', 'again']) expect(await prepare()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(statSync(root)).toMatchObject({ uid: 0, gid: api.gid });
    expect(modeOf(root)).toBe('2775');
    expect(statSync(join(directory, String(attempt), 'home'))).toMatchObject({ uid: api.uid, gid: api.gid });
    const made = await runCommand(withRights(api, ['mkdir', join(root, 'artifacts')]));
    expect(made, made.stderr).toMatchObject({ exitCode: 0 });
  });

  it('leaves whoever comes first, the api or the worker, room for the other', async () => {
    await mkdir(join(directory, String(attempt), 'home'));
    await prepare();
    const first = await work(api, 'prepare', api.gid);
    expect(first, first.stderr).toMatchObject({ exitCode: 0 });
    const second = await work(worker, 'stage', worker.gid, JOB, String(ALICE));
    expect(second, second.stderr).toMatchObject({ exitCode: 0 });
  });
});
