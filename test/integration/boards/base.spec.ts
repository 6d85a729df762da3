import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BoardStep } from '#core/nodes/board-step';
import { differs, right } from '#core/nodes/board-step';
import type { NodeOperation } from '#core/operations/operation';
import { installPackages, packagesProbe, parsePackages } from '#core/nodes/packages';
import type { Site } from '#core/nodes/site';
import { accountsStep } from '#core/nodes/steps/base/accounts-step';
import { aptProxyStep } from '#core/nodes/steps/base/apt-proxy-step';
import { memoryCgroupStep } from '#core/nodes/steps/base/memory-cgroup-step';
import { nodeExporterStep } from '#core/nodes/steps/base/node-exporter-step';
import { timeStep } from '#core/nodes/steps/base/time-step';
import { upgradePackages } from '#core/nodes/steps/base/upgrade-packages';
import { upgradeStep } from '#core/nodes/steps/base/upgrade-step';
import { idOf } from '../../fakes/counting-ids.ts';
import { existing } from '../../fakes/existing.ts';
import { ScriptedSlurmNodes } from '../../fakes/scripted-slurm-nodes.ts';
import { SITE } from '../../fakes/site.ts';
import { type BoardsLab, boardsDown, boardsUp } from '../../lab/boards/boards-lab.ts';
import { TEST_LAB_DIRECTORY } from '../../lab/test-lab.ts';
import { stepsOnBoards } from './board-steps.ts';

const DIRECTORY = `${TEST_LAB_DIRECTORY}-base`;
const BASE = [aptProxyStep, timeStep, accountsStep, memoryCgroupStep, nodeExporterStep];
const CMDLINE = '/boot/firmware/cmdline.txt';
const LAB_PROXY = '/etc/apt/apt.conf.d/01lab-package-cache';

/** A fixture: the clock of a virtual board is this machine's, which it may not set. This one lies beside it. */
const DATE = `#!/bin/sh
offset=$(cat /var/tmp/lab-clock 2> /dev/null || echo 0)
real=$(/bin/date +%s.%N)
case "$*" in
  +%s.%N) awk "BEGIN { printf \\"%.3f\\n\\", $real + $offset }" ;;
  '-u -s '*' seconds') awk "BEGIN { printf \\"%.3f\\n\\", $offset + \${3% seconds} }" > /var/tmp/lab-clock ;;
  *) exec /bin/date "$@" ;;
esac
`;

/** A fixture: a package source of the board's own, with a second version of what is installed. */
const UPGRADES = `
mkdir -p /srv/lab
cd /srv/lab
for name in lab-first lab-second; do
  for version in 1 2; do
    mkdir -p "$name/DEBIAN"
    printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: Lab <lab@home.lab>\\nDescription: fixture\\n' \\
      "$name" "$version" > "$name/DEBIAN/control"
    dpkg-deb --build "$name" "$name-$version.deb"
  done
  dpkg --install "$name-1.deb"
  cat "$name/DEBIAN/control"
  printf 'Filename: ./%s-2.deb\\nSize: %s\\nSHA256: %s\\n\\n' "$name" "$(stat -c %s "$name-2.deb")" \\
    "$(sha256sum "$name-2.deb" | cut -d ' ' -f 1)"
done > Packages.new
sed -n '/^\\(Package\\|Version\\|Architecture\\|Maintainer\\|Description\\|Filename\\|Size\\|SHA256\\): /p; /^$/p' Packages.new > Packages
apt-mark hold $(apt-get -s upgrade | sed -n 's/^Inst \\([^ ]*\\) .*/\\1/p')
echo 'deb [trusted=yes] file:/srv/lab ./' > /etc/apt/sources.list.d/lab.list
`;

let lab: BoardsLab;
const site: Site = { ...SITE };
const slurmNodes = new ScriptedSlurmNodes();
const boards = stepsOnBoards({ site, slurm: slurmNodes.ports });
const machine = () => existing(lab.boards[0]);

async function sh(script: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await machine().run(['sh', '-ec', script, 'sh', ...args], {
    timeoutMs: 120_000,
  });
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

const put = (path: string, content: string, mode = '644') =>
  sh('mkdir -p "$(dirname "$1")"; printf %s "$2" > "$1"; chmod "$3" "$1"', path, content, mode);

const stepOf = (operation: NodeOperation, { name }: BoardStep) =>
  existing(operation.steps.find((step) => step.name === name));

const install = (...packages: string[]): BoardStep => ({
  ...{ name: 'install', title: 'install', roles: null, probe: () => packagesProbe(packages) },
  check: (seen) => ([...parsePackages(seen).values()].includes(null) ? differs('not there') : right('there')),
  apply: async (context) => {
    await installPackages(context, packages);
    return 'installed';
  },
});

beforeAll(async () => {
  lab = await boardsUp({ dir: DIRECTORY, boards: 1 });
  await put('/usr/local/bin/date', DATE, '755');
});
afterAll(() => boardsDown(DIRECTORY));

describe('the base steps of a board', () => {
  it('make a bare one right that is ten minutes behind', async () => {
    await put('/var/tmp/lab-clock', '-600');
    site.accounts = [
      { name: 'alice', uid: 2001, gid: 2000 },
      { name: 'bob', uid: 2002, gid: 2000 },
    ];
    const bootBefore = await machine().bootId();
    const operation = await boards.enrol(machine(), 'node02', BASE);
    expect(operation).toMatchObject({ state: 'done', reason: null });
    expect(stepOf(operation, aptProxyStep)).toMatchObject({
      state: 'unchanged',
      detail: `the board has a proxy of its own, which stays: ${new URL(lab.packageCacheUrl).host}`,
    });
    expect(stepOf(operation, timeStep).detail).toBe(
      "set the clock, which was 600 s behind the worker's; chrony keeps it",
    );
    expect(await sh('id alice; id bob; stat -c "%U %a %n" /home/alice; getent passwd bob')).toBe(
      'uid=2001(alice) gid=2000(alice) groups=2000(alice)\nuid=2002(bob) gid=2000(alice) groups=2000(alice)\n' +
        'alice 700 /home/alice\nbob:x:2002:2000::/home/bob:/bin/bash\n',
    );
    expect(await machine().readFile(CMDLINE)).toMatch(
      /^console=[^\n]* rootwait cgroup_enable=memory cgroup_memory=1\n$/,
    );
    expect(await machine().readFile(`${CMDLINE}.before-bramble`)).toMatch(/rootwait\n$/);
    expect(await machine().bootId()).toBe(bootBefore);
    const metrics = await (await fetch(`http://${machine().address}:9100/metrics`)).text();
    expect(metrics).toContain('\nbramble_pi_throttled_bits 0\n');
    expect(metrics).toContain('\nbramble_pi_temperature_celsius 42.8\n');
    expect(metrics).toContain('\nnode_textfile_scrape_error 0\n');
    expect(metrics).toContain('\nnode_load1 ');
  });

  it('change nothing the second time, and after a restart', async () => {
    await machine().reboot();
    const operation = await boards.run('node02', BASE);
    expect(operation.steps.map(({ state }) => state)).toEqual(operation.steps.map(() => 'unchanged'));
    expect(stepOf(operation, timeStep).detail).toMatch(
      /^chrony, which no time server has answered yet; the clock is 0\.\d\d s /,
    );
  });

  it('mend what has been changed', async () => {
    await sh('systemctl disable --now -q chrony prometheus-node-exporter; rm -r /home/alice');
    site.timeServers = ['10.9.9.9', 'ntp.home.lab'];
    const operation = await boards.run('node02', BASE);
    expect(operation).toMatchObject({ state: 'done' });
    expect(stepOf(operation, accountsStep).state).toBe('applied');
    expect(await sh('systemctl is-active chrony prometheus-node-exporter; chronyc -c -N sources')).toMatch(
      /^active\nactive\n[^]*,10\.9\.9\.9,/,
    );
    site.timeServers = [];
    expect(await boards.run('node02', [timeStep])).toMatchObject({ state: 'done' });
    expect(await sh('ls /etc/chrony/sources.d')).toBe('README\n');
  });
});

describe('the package proxy of a board', () => {
  const runStep = async () => stepOf(await boards.run('node02', [aptProxyStep]), aptProxyStep);
  const update = () => sh('apt-get -q -o APT::Update::Error-Mode=any update 2>&1');

  it('of the site goes first, and is done without while it is away', async () => {
    const silent = createServer().listen(0, lab.bridgeAddress);
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    site.aptProxy = `http://${lab.bridgeAddress}:${port}`;
    expect(await runStep()).toMatchObject({ state: 'applied' });
    expect(await runStep()).toMatchObject({ state: 'unchanged' });
    const startedAt = performance.now();
    expect(await update()).toContain('InRelease');
    // apt itself would wait for half a minute for each of four indexes.
    expect(performance.now() - startedAt).toBeLessThan(120_000);
    silent.close();
    site.aptProxy = null;
    expect(await runStep()).toMatchObject({ state: 'applied', detail: "took Bramble's setting away" });
    expect(await sh('ls /etc/apt/apt.conf.d /usr/local/lib/bramble')).not.toMatch(/bramble-proxy|apt-proxy/);
  });

  it('is the cache of a storage board, where the board has none of its own', async () => {
    await sh(`mv ${LAB_PROXY} /root/`);
    const own = existing(await boards.store.findByName('node02'));
    const cache = { ...own, id: idOf('brd', 90), name: 'node01', address: lab.bridgeAddress, facts: null };
    const storage = { disk: null, wipe: null, packageCache: true, partitions: [] };
    await boards.store.insert(
      { ...cache, roles: ['storage'], storage },
      {
        ...{
          id: idOf('op', 90),
          about: 'node',
          subject: 'node01',
          boardId: cache.id,
          kind: 'check',
          steps: [],
        },
        ...{ parameters: { reason: null, force: false }, createdAt: new Date() },
      },
    );
    expect(await runStep()).toMatchObject({
      state: 'applied',
      detail: `through ${lab.bridgeAddress}:3142 while it answers`,
    });
    await update();
    const stored = existing(await boards.store.findByName('node01'));
    await boards.store.change(stored, { storage: { ...storage, packageCache: false } });
    expect(await runStep()).toMatchObject({ state: 'applied' });
    expect(await runStep()).toMatchObject({ state: 'unchanged', detail: 'without a proxy' });
    await sh(`mv /root/01lab-package-cache ${LAB_PROXY}`);
  });
});

describe('accounts that are in the way', () => {
  it('stay as they are', async () => {
    const { accounts } = site;
    site.accounts = [
      { name: 'carol', uid: 1000, gid: 3000 },
      { name: 'pi', uid: 4000, gid: 4000 },
    ];
    const passwd = await machine().readFile('/etc/passwd');
    const operation = await boards.run('node02', [accountsStep]);
    expect(operation.state).toBe('failed');
    expect(operation.reason?.message).toContain('the uid 1000 is that of "pi"');
    expect(operation.reason?.message).toContain('on the board it has 1000 and 1000');
    expect(await machine().readFile('/etc/passwd')).toBe(passwd);
    site.accounts = accounts;
  });
});

describe('the memory controller', () => {
  const run = () => boards.run('node02', [memoryCgroupStep]);
  const switchOff =
    'sed "s/^\\(memory.*\\)1$/\\10/" /proc/cgroups > /root/cgroups; mount --bind /root/cgroups /proc/cgroups';

  it('is not switched on by a restart while jobs run', async () => {
    await sh(switchOff);
    slurmNodes.put('node02', { cpusAllocated: 2 });
    expect((await run()).reason?.message).toContain('runs jobs');
    slurmNodes.put('node02', { cpusAllocated: 0 });
  });

  it('is there after a restart', async () => {
    const before = await machine().bootId();
    await sh(`sed -i 's/ cgroup_enable=memory/ cgroup_disable=memory/' ${CMDLINE}`);
    const operation = await run();
    expect(operation).toMatchObject({ state: 'done' });
    expect(await machine().readFile(CMDLINE)).toMatch(/ rootwait cgroup_memory=1 cgroup_enable=memory\n$/);
    expect(await machine().bootId()).not.toBe(before);
  });

  it('or the board says that it is not, once', async () => {
    await put(
      '/etc/systemd/system/lab-no-memory.service',
      `[Unit]\nBefore=ssh.service\n[Service]\nType=oneshot\nExecStart=sh -c '${switchOff.replaceAll('$', '$$').replaceAll('\\', '\\\\')}'\n[Install]\nWantedBy=multi-user.target\n`,
    );
    await sh('systemctl enable -q --now lab-no-memory.service');
    const before = await machine().bootId();
    expect((await run()).reason?.message).toContain('no memory controller after a restart');
    expect(await machine().bootId()).not.toBe(before);
    await sh('systemctl disable -q lab-no-memory.service; umount /proc/cgroups');
  });

  it.each([
    ['has two lines', `echo quiet >> ${CMDLINE}`, `sed -i 2d ${CMDLINE}`, 'it has 2 lines'],
    [
      'cannot be written',
      `sed -i 's/ cgroup_memory=1//' ${CMDLINE}; mount --bind /boot/firmware /boot/firmware; mount -o remount,ro,bind /boot/firmware`,
      'umount /boot/firmware',
      'Read-only file system',
    ],
  ])('is left alone where cmdline.txt %s', async (_, spoil, mend, because) => {
    await sh(spoil);
    const before = await machine().readFile(CMDLINE);
    const operation = await run();
    expect(operation.reason?.message).toContain(because);
    expect(await machine().readFile(CMDLINE)).toBe(before);
    await sh(mend);
  });
});

describe('packages of a board', () => {
  const enough = 120_000;

  it('are waited for while somebody else is at work, who is named', async () => {
    const hold = `import fcntl, time\nlock = open('/var/lib/dpkg/lock-frontend', 'w')\nfcntl.lockf(lock, fcntl.LOCK_EX)\nopen('/run/held', 'w')\ntime.sleep(3)`;
    const holding = machine().run(['python3', '-c', hold]);
    await expect.poll(() => sh('ls /run')).toMatch(/^held$/m);
    const operation = await boards.run('node02', [install('libgdbm6')]);
    expect(operation).toMatchObject({ state: 'done' });
    const text = (await boards.output(operation)).map((piece) => piece.text).join('');
    expect(text).toMatch(/^Waiting for the package lock, held by python3 \(process \d+\)/);
    expect(text).not.toContain('InRelease');
    await holding;
  });

  it(
    'are mended after dpkg was killed while it unpacked',
    async () => {
      await sh(`
        apt-get install -y --no-install-recommends locales > /root/log 2>&1 &
        until grep -q '^Unpacking locales' /root/log; do sleep 0.02; done
        pkill -KILL -x dpkg; pkill -KILL -x apt-get; wait || true`);
      expect(await sh('dpkg --audit')).toContain('They must be reinstalled');
      expect(await boards.run('node02', [install('libjansson4')])).toMatchObject({ state: 'done' });
      expect(await sh('dpkg --audit')).toBe('');
    },
    enough,
  );

  it('that nobody has are named', async () => {
    const { reason } = await boards.run('node02', [install('no-such-package')]);
    expect(reason?.message).toBe(
      `The board's package sources have no package "no-such-package". See /etc/apt/sources.list and /etc/apt/sources.list.d on the board.\nE: Unable to locate package no-such-package`,
    );
  });

  it('that do not fit on the disk are told of in words', async () => {
    await sh('mount -t tmpfs -o size=64k tmpfs /var/cache/apt/archives');
    const { reason } = await boards.run('node02', [install('make')]);
    expect(reason?.message).toMatch(
      /^The board has no room left for packages\.[^]*\nE: You don't have enough free space/,
    );
    await sh('umount /var/cache/apt/archives');
  });

  it(
    'are upgraded but for those that are held',
    async () => {
      await sh(UPGRADES);
      const holding: BoardStep = {
        ...{ name: 'holding', title: 'holding', roles: null },
        check: (_, context) => (context.note('done') === undefined ? differs('not yet') : right('done')),
        apply: async (context) => {
          const { packages, restartBecause } = await upgradePackages(context, { hold: ['lab-first'] });
          await context.keepNote('done', 'yes');
          return `${packages.join()} ${restartBecause}`;
        },
      };
      const operation = await boards.run('node02', [holding], 'upgrade');
      expect(stepOf(operation, holding).detail).toBe('lab-second 2 null');
      const rest = await boards.run('node02', [upgradeStep], 'upgrade');
      expect(stepOf(rest, upgradeStep).detail).toBe('1 upgraded: lab-first 2');
      expect(stepOf(await boards.run('node02', [upgradeStep], 'upgrade'), upgradeStep).state).toBe(
        'unchanged',
      );
    },
    enough,
  );
});
