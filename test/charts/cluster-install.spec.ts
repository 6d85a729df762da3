import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureDebianPackages } from '../../scripts/debian-packages.ts';
import { runCommand } from '../lab/boards/command.ts';

// The script on this machine, whose /etc, /usr/local and /var/lib are covered by directories of the test. The releases,
// k3s and systemctl are stand-ins: what is tested is what the script downloads, writes and restarts.

const SCRIPT = fileURLToPath(new URL('../../deploy/cluster/install.sh', import.meta.url));
const VERSION = 'v1.36.1+k3s1';
const COVERED = { etc: '/etc', local: '/usr/local', lib: '/var/lib' } as const;

const k3s = (version: string) => `#!/bin/sh
case "$1" in
  --version) echo "k3s version ${version} (0123abcd)" ;;
  kubectl) exit 0 ;;
esac
`;
/** Remembers what is enabled and active, and what was asked for. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$STATE/calls"
for unit; do :; done
case "$1" in
  is-enabled | is-active) test -e "$STATE/$unit" ;;
  enable) : ;;
  start | restart) touch "$STATE/$unit" ;;
esac
`;

let releases: Server;
let url: string;
const served = new Map<string, string>();
let directory: string;
let attempt = 0;

beforeAll(async () => {
  await ensureDebianPackages('curl', console.log);
  releases = createServer(({ url: path = '' }, response) => {
    const content = served.get(path);
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => void releases.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(releases.address() as AddressInfo).port}`;
});
afterAll(() => releases.close());

beforeEach(() => {
  attempt += 1;
  directory = mkdtempSync(join(tmpdir(), `bramble-install-${attempt}-`));
  for (const name of [...Object.keys(COVERED), 'state', 'programs', 'cgroup'])
    for (const part of ['', '-work']) mkdirSync(join(directory, `${name}${part}`));
  writeFileSync(join(directory, 'programs', 'systemctl'), SYSTEMCTL, { mode: 0o755 });
  writeFileSync(join(directory, 'programs', 'mount.nfs'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(directory, 'cgroup', 'cgroup.controllers'), 'cpuset cpu io memory pids\n');
  release(VERSION);
  return () => rmSync(directory, { recursive: true, force: true });
});

function release(version: string, listed?: string): void {
  const [asset, list] =
    process.arch === 'arm64' ? ['k3s-arm64', 'sha256sum-arm64.txt'] : ['k3s', 'sha256sum-amd64.txt'];
  const base = `/${version.replace('+', '%2B')}`;
  const digest = createHash('sha256').update(k3s(version)).digest('hex');
  served.set(`${base}/${asset}`, k3s(version));
  served.set(`${base}/${list}`, `${'0'.repeat(64)}  k3s-airgap-images.tar\n${listed ?? digest}  ${asset}\n`);
}

const COVER = `set -eu
${Object.entries(COVERED)
  .map(
    ([name, path]) =>
      `mount -t overlay overlay -o "lowerdir=${path},upperdir=$1/${name},workdir=$1/${name}-work" ${path}`,
  )
  .join('\n')}
mount --bind "$1/cgroup" /sys/fs/cgroup
directory=$1
shift
export STATE="$directory/state" READY_SECONDS=5 PATH="$directory/programs:$PATH"
exec "$@"
`;

const install = (role?: string, ...words: string[]) =>
  runCommand([
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', COVER, 'sh', directory],
    ...['bash', SCRIPT, ...(role === undefined ? [] : [role, '--releases', url, ...words])],
  ]);
const server = (...words: string[]) =>
  install('server', '--node-ip', '127.0.0.1', '--node-name', 'kv-master-0', ...words);

const written = (path: string) =>
  join(
    directory,
    path
      .replace(/^\/etc/, 'etc')
      .replace(/^\/usr\/local/, 'local')
      .replace(/^\/var\/lib/, 'lib'),
  );
const read = (path: string) => readFileSync(written(path), 'utf8');
const calls = () => {
  const file = join(directory, 'state', 'calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};
const starts = () => calls().filter((call) => call.startsWith('start') || call.startsWith('restart'));

describe('deploy/cluster/install.sh', () => {
  it('makes a server as the lab wants it', async () => {
    const { exitCode, stdout, stderr } = await server(
      ...['--registry', '10.0.0.10:5000', '--resolver', '9.9.9.9,1.1.1.1', '--zone', 'home.lab=10.0.0.21'],
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('== ready');
    expect(load(read('/etc/rancher/k3s/config.yaml'))).toEqual({
      'node-name': 'kv-master-0',
      'node-ip': '127.0.0.1',
      'flannel-iface': 'lo',
      'token-file': '/etc/rancher/k3s/token',
      'resolv-conf': '/etc/rancher/k3s/resolv.conf',
      'advertise-address': '127.0.0.1',
      'tls-san': ['127.0.0.1', 'kv-master-0'],
      disable: ['servicelb', 'traefik'],
      'secrets-encryption': true,
      'write-kubeconfig-mode': '0600',
    });
    expect(load(read('/etc/rancher/k3s/registries.yaml'))).toEqual({
      mirrors: { 'registry.home.lab': { endpoint: ['http://10.0.0.10:5000'] } },
    });
    expect(read('/etc/rancher/k3s/resolv.conf')).toBe('nameserver 9.9.9.9\nnameserver 1.1.1.1\n');
    const zone = load(read('/var/lib/rancher/k3s/server/manifests/bramble-zone.yaml'));
    expect(zone).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'coredns-custom', namespace: 'kube-system' },
      data: { 'bramble.server': expect.stringMatching(/^home\.lab:53 \{[^]*forward \. 10\.0\.0\.21\n\}/) },
    });
    expect(read('/etc/rancher/k3s/token')).toMatch(/^[A-Za-z0-9]{38,44}$/);
    for (const file of ['token', 'config.yaml', 'registries.yaml'])
      expect(statSync(written(`/etc/rancher/k3s/${file}`)).mode & 0o777, file).toBe(0o600);
    expect(read('/etc/systemd/system/k3s.service')).toContain('ExecStart=/usr/local/bin/k3s server\n');
    expect(starts()).toEqual(['restart k3s.service']);
  });

  it('changes nothing and restarts nothing when it is run again', async () => {
    await server();
    const token = read('/etc/rancher/k3s/token');
    const again = await server();
    expect(again.stdout).toContain('nothing to change: k3s runs');
    expect(again.stdout).not.toMatch(/wrote|downloading/);
    expect(starts()).toHaveLength(1);
    expect(read('/etc/rancher/k3s/token')).toBe(token);
  });

  it('changes what differs, and restarts once for it', async () => {
    await server('--resolver', '9.9.9.9');
    const { stdout } = await server('--registry', '10.0.0.10:5000', '--mirror');
    expect(stdout.match(/== (wrote|removed) \S+/g)).toEqual([
      '== wrote /etc/rancher/k3s/config.yaml',
      '== removed /etc/rancher/k3s/resolv.conf',
      '== wrote /etc/rancher/k3s/registries.yaml',
    ]);
    expect(starts()).toHaveLength(2);
    expect(load(read('/etc/rancher/k3s/registries.yaml'))).toMatchObject({
      mirrors: {
        'quay.io': { endpoint: ['http://10.0.0.10:5000'], rewrite: { '^(.*)$': 'quay.io/$1' } },
      },
    });
  });

  it.each<[string, string[]]>([
    ['a file that is new', ['--registry', '10.0.0.10:5000']],
    ['a line of a file', ['--resolver', '9.9.9.9']],
  ])('restarts for nothing but %s', async (_, words) => {
    await server();
    const { stdout } = await server(...words);
    expect(stdout).toContain('== wrote /etc/rancher/k3s/');
    expect(starts()).toHaveLength(2);
  });

  it('leaves a server as it is where it is to be made an agent', async () => {
    await server('--registry', '10.0.0.10:5000');
    const before = read('/etc/rancher/k3s/config.yaml');
    const agent = ['agent', '--node-ip', '127.0.0.1', '--server', '10.0.0.100'];
    const { exitCode, stderr } = await install(...agent, '--token-file', '/etc/rancher/k3s/token');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('it cannot be both')]);
    expect(read('/etc/rancher/k3s/config.yaml')).toBe(before);
    expect(existsSync(written('/etc/rancher/k3s/registries.yaml'))).toBe(true);
  });

  it('replaces k3s by the version that is asked for', async () => {
    await server();
    release('v1.36.2+k3s1');
    const { exitCode } = await server('--version', 'v1.36.2+k3s1');
    expect(exitCode).toBe(0);
    expect(read('/usr/local/bin/k3s')).toContain('v1.36.2+k3s1');
    expect(starts()).toHaveLength(2);
  });

  it('makes an agent of the same token', async () => {
    const token = join(directory, 'given');
    writeFileSync(token, 'secret');
    const agent = ['agent', '--node-ip', '127.0.0.1', '--node-name', 'kv-worker-0'];
    const { exitCode, stderr } = await install(...agent, '--server', '10.0.0.100', '--token-file', token);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(load(read('/etc/rancher/k3s/config.yaml'))).toMatchObject({
      server: 'https://10.0.0.100:6443',
      'node-name': 'kv-worker-0',
    });
    expect(read('/etc/rancher/k3s/token')).toBe('secret');
    expect(starts()).toEqual(['restart k3s-agent.service']);
  });

  it('installs nothing that is not what the release lists', async () => {
    release(VERSION, 'f'.repeat(64));
    const { exitCode, stderr } = await server();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/is not what it should be: its digest is [0-9a-f]{64}, not f{64}; nothing was/);
    expect(existsSync(written('/usr/local/bin/k3s'))).toBe(false);
    expect(starts()).toEqual([]);
    const pinned = await server('--sha256', createHash('sha256').update(k3s(VERSION)).digest('hex'));
    expect(pinned.exitCode).toBe(0);
  });

  it.each<[string, string[], RegExp]>([
    ['no role', [], /Usage:/],
    ['no address', ['server'], /--node-ip must be/],
    ['an address of another machine', ['server', '--node-ip', '10.99.0.1'], /no interface .* 10\.99\.0\.1/],
    ['an agent without a server', ['agent', '--node-ip', '127.0.0.1'], /an agent needs --server/],
    ['an option without a value', ['server', '--node-ip'], /--node-ip needs a value/],
    ['a mirror of nothing', ['server', '--node-ip', '127.0.0.1', '--mirror'], /--mirror needs --registry/],
    [
      'a version that is none',
      ['server', '--node-ip', '127.0.0.1', '--version', '1.36'],
      /no version of k3s/,
    ],
  ])('refuses %s', async (_, words, message) => {
    const { exitCode, stderr } = await install(...words);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(calls()).toEqual([]);
  });

  it('names what a system with control groups of version 1 needs first', async () => {
    rmSync(join(directory, 'cgroup', 'cgroup.controllers'));
    const { exitCode, stderr } = await server();
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('systemd.unified_cgroup_hierarchy=1')]);
  });

  it('names what a Raspberry Pi needs first', async () => {
    writeFileSync(join(directory, 'cgroup', 'cgroup.controllers'), 'cpuset cpu io pids\n');
    const { stderr } = await server();
    expect(stderr).toContain('add "cgroup_enable=memory"');
  });
});
