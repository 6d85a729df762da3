import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Installation, startInstallation } from '../e2e/installation.ts';
import { defaultLabDirectory } from '../lab/lab-directory.ts';
import { labDown, labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { ConsumerProject, type Run } from './consumer-project.ts';
import { installedNodes } from './installed-nodes.ts';
import { CHECKOUT, packSdk, type PackedSdk } from './packed-sdk.ts';

const LAB_DIRECTORY = `${defaultLabDirectory()}-sdk`;

let directory: string;
let packed: PackedSdk;
let projects: { esm: ConsumerProject; cjs: ConsumerProject };

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bramble-package-'));
  mkdirSync(join(directory, 'tarball'));
  packed = await packSdk(join(directory, 'tarball'));
  projects = {
    esm: await ConsumerProject.create(join(directory, 'esm'), 'module', packed.tarball),
    cjs: await ConsumerProject.create(join(directory, 'cjs'), 'commonjs', packed.tarball),
  };
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the tarball', () => {
  it('holds the package, and neither tests nor anything else', () => {
    const wanted = /^package\/(package\.json|README\.md|LICENSE|bin\/bramble\.js|(dist|src)\/[\w./-]+)$/;
    expect(packed.files.filter((file) => !wanted.test(file))).toEqual([]);
    expect(packed.files.filter((file) => /\.spec\.|\/testing\/|\.\.|\/node_modules\//.test(file))).toEqual(
      [],
    );
    for (const entry of ['esm/index', 'esm/web', 'cjs/index', 'cjs/web']) {
      expect(packed.files).toContain(`package/dist/${entry}.js`);
      expect(packed.files).toContain(`package/dist/${entry}.d.ts`);
    }
  });

  it('holds the sources that its maps lead to', () => {
    const installed = join(projects.esm.directory, 'node_modules/@bramble/sdk');
    const maps = packed.files.filter((file) => file.endsWith('.map'));
    expect(maps.length).toBeGreaterThan(0);
    for (const map of maps) {
      const path = map.replace(/^package\//, '');
      const { sources } = JSON.parse(readFileSync(join(installed, path), 'utf8')) as { sources: string[] };
      for (const source of sources) expect(packed.files).toContain(join('package', path, '..', source));
    }
  });

  it('brings nothing along but what the command line needs', () => {
    const lock = JSON.parse(readFileSync(join(projects.esm.directory, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dependencies?: Record<string, string> }>;
    };
    expect(Object.keys(lock.packages['node_modules/@bramble/sdk']?.dependencies ?? {})).toEqual([
      'commander',
    ]);
    expect(lock.packages['node_modules/commander']).not.toHaveProperty('dependencies');
  });
});

describe('the types', () => {
  const NODE = { lib: ['es2023'], types: ['node'] };
  const BROWSER = { lib: ['es2023', 'dom', 'dom.iterable'], types: [] };

  it.each([
    ['an ES module with the types of Node', 'esm', 'types-esm.mts', NODE],
    ['an ES module with the types of the web alone', 'esm', 'types-esm.mts', BROWSER],
    ['CommonJS with the types of Node', 'cjs', 'types-cjs.cts', NODE],
    ['CommonJS with the types of the web alone', 'cjs', 'types-cjs.cts', BROWSER],
  ] as const)('fit in %s', async (_, project, file, { lib, types }) => {
    const run = await projects[project].check(file, { lib: [...lib], types: [...types] });
    expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('against an installation', () => {
  let lab: SlurmLab;
  let bramble: Installation;
  let environment: Record<string, string>;

  beforeAll(async () => {
    lab = await labUp({ dir: LAB_DIRECTORY });
    bramble = await startInstallation(lab);
    environment = { BRAMBLE_URL: bramble.apiUrl, BRAMBLE_API_KEY: bramble.adminKey };
  });
  afterAll(async () => {
    await bramble.stop();
    await labDown(LAB_DIRECTORY);
  });

  function expectPi({ code, stdout, stderr }: Run, { directory: at }: ConsumerProject): void {
    expect([code, stderr]).toEqual([0, '']);
    const ranks = stdout.split('\n').filter((line) => line.startsWith('rank '));
    expect(ranks).toHaveLength(8);
    expect([...new Set(ranks.map((rank) => rank.split(' on ')[1]))].sort()).toEqual(lab.nodes);
    expect(readFileSync(join(at, 'results/pi.csv'), 'utf8')).toBe('ranks,pi\n8,3.1415926536\n');
  }

  describe.each(installedNodes())('on $whose, $version', ({ path: node }) => {
    it('the program of the README runs', async () => {
      const program = readFileSync(join(projects.esm.directory, 'esm.mjs'), 'utf8');
      expect(readFileSync(join(CHECKOUT, 'README.md'), 'utf8')).toContain(`\n\`\`\`js\n${program}\`\`\`\n`);
      projects.esm.removeResults();
      expectPi(await projects.esm.run(node, ['esm.mjs'], environment), projects.esm);
    });

    it('a CommonJS program runs, on CommonJS alone', async () => {
      const { stdout } = await projects.cjs.run(node, ['-p', 'require.resolve("@bramble/sdk")']);
      expect(stdout.trimEnd().endsWith(join('dist', 'cjs', 'index.js'))).toBe(true);
      projects.cjs.removeResults();
      expectPi(await projects.cjs.run(node, ['cjs.cjs'], environment), projects.cjs);
    });

    it('the command tells its version, and submits', async () => {
      const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'libs/sdk/package.json'), 'utf8')) as {
        version: string;
      };
      expect(await projects.cjs.bramble(node, ['--version'])).toEqual({
        code: 0,
        stdout: `${version}\n`,
        stderr: '',
      });
      const submit = 'submit examples/pi.c --nodes 4 --tasks-per-node 2 --output *.csv'.split(' ');
      projects.cjs.removeResults();
      const watched = [...submit, '--follow', '--download', 'results'];
      const { stderr, ...run } = await projects.cjs.bramble(node, watched, environment);
      expectPi({ ...run, stderr: '' }, projects.cjs);
      expect(stderr).toContain('completed');
      const fail = ['submit', '--wait', '--', 'sh', '-c', 'exit 9'];
      expect((await projects.cjs.bramble(node, fail, environment)).code).toBe(9);
    });
  });
});
