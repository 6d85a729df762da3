import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { only } from './render.ts';
import type { RenderedObject } from './render.ts';

const run = promisify(execFile);

interface SecurityContext {
  runAsUser?: number;
  runAsGroup?: number;
  fsGroup?: number;
  readOnlyRootFilesystem?: boolean;
  capabilities?: { drop?: string[]; add?: string[] };
}

export interface Container {
  name: string;
  command: string[];
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { fieldRef?: { fieldPath: string } } }[];
  securityContext: SecurityContext;
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean; subPath?: string }[];
}

interface Volume {
  name: string;
  emptyDir?: object;
  configMap?: { name: string };
  secret?: { secretName: string; defaultMode?: number };
}

export interface PodSpec {
  securityContext?: SecurityContext;
  initContainers?: Container[];
  containers: Container[];
  volumes?: Volume[];
}

/** What a container runs in, beside what the chart says. */
export interface PodSurroundings {
  /** Network namespace. */
  network: string;
  hostname: string;
  /** Its address, and that of its node. */
  address: string;
  /** Directories for volumes that are neither made nor rendered here: claims and servers. */
  volumes?: Record<string, string>;
}

/**
 * Runs the containers of a rendered pod on this machine, whose file system stands for the image: with their command,
 * environment, account, capabilities and volumes, on a root file system that they cannot write to. Changes nothing outside of
 * its directory and its network namespace. There is no kubelet: whoever uses it starts, stops and asks in the right order.
 */
export class PodOnThisMachine {
  readonly #directory: string;
  readonly #spec: PodSpec;
  readonly #surroundings: PodSurroundings;
  readonly #volumes = new Map<string, string>();
  readonly #running = new Set<ChildProcess>();
  readonly #output = new Map<string, string>();

  /** @param within an existing directory */
  constructor(within: string, spec: PodSpec, objects: readonly RenderedObject[], around: PodSurroundings) {
    this.#directory = mkdtempSync(join(within, 'pod-'));
    chmodSync(this.#directory, 0o755);
    this.#spec = spec;
    this.#surroundings = around;
    for (const volume of spec.volumes ?? []) this.#volumes.set(volume.name, this.#make(volume, objects));
    for (const [name, directory] of Object.entries(around.volumes ?? {})) this.#volumes.set(name, directory);
  }

  /** Everything that a container has written so far. */
  output(container: string): string {
    return this.#output.get(container) ?? '';
  }

  start(name: string): ChildProcess {
    const container = this.#container(name);
    const [command = '', ...rest] = this.#commandLine(container, [
      ...container.command,
      ...(container.args ?? []),
    ]);
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => {
      this.#output.set(name, this.output(name) + chunk.toString());
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }

  /** Like an init container: until it ends. @throws Error with what it wrote where it fails */
  async runToEnd(name: string): Promise<void> {
    const child = this.start(name);
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`${name} ended with ${String(code)}:\n${this.output(name)}`);
  }

  /** Like `kubectl exec`. @throws Error where the command fails */
  async exec(name: string, argv: readonly string[]): Promise<string> {
    const [command = '', ...rest] = this.#commandLine(this.#container(name), argv);
    return (await run(command, rest)).stdout;
  }

  async stop(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.stop(child)));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #container(name: string): Container {
    const all = [...(this.#spec.initContainers ?? []), ...this.#spec.containers];
    const found = all.find((container) => container.name === name);
    if (found === undefined) throw new Error(`The pod has no container ${name}`);
    return found;
  }

  #make(volume: Volume, objects: readonly RenderedObject[]): string {
    const directory = join(this.#directory, 'volumes', volume.name);
    mkdirSync(directory, { recursive: true });
    const group = this.#spec.securityContext?.fsGroup;
    if (volume.emptyDir !== undefined) {
      chmodSync(directory, 0o777);
      if (group !== undefined) {
        chownSync(directory, 0, group);
        chmodSync(directory, 0o2777);
      }
    }
    const object =
      volume.configMap !== undefined
        ? only(objects, 'ConfigMap', volume.configMap.name)
        : volume.secret !== undefined
          ? objects.find(
              ({ kind, metadata }) => kind === 'Secret' && metadata.name === volume.secret?.secretName,
            )
          : undefined;
    for (const [key, text] of Object.entries(object?.data ?? {}) as [string, string][]) {
      const content = volume.secret === undefined ? text : Buffer.from(text, 'base64');
      const mode = volume.secret?.defaultMode ?? 0o644;
      writeFileSync(join(directory, key), content);
      chmodSync(join(directory, key), group === undefined ? mode : mode | 0o040);
      chownSync(join(directory, key), 0, group ?? 0);
    }
    return directory;
  }

  #commandLine(container: Container, argv: readonly string[]): string[] {
    const context = { ...this.#spec.securityContext, ...container.securityContext };
    const user = context.runAsUser ?? 0;
    const kept = (context.capabilities?.add ?? []).map((name) => `,+${name.toLowerCase()}`).join('');
    const environment = this.#environment(container);
    const expanded = argv.map((word) =>
      word.replaceAll(/\$\((\w+)\)/g, (_, name: string) => environment[name] ?? ''),
    );
    const mounts = (container.volumeMounts ?? []).flatMap(({ name, mountPath, readOnly, subPath }) => [
      join(this.#volumes.get(name) ?? this.#unknown(name), subPath ?? '.'),
      mountPath,
      readOnly === true ? 'ro' : 'rw',
    ]);
    return [
      ...['nsenter', `--net=/run/netns/${this.#surroundings.network}`],
      ...['unshare', '--mount', '--uts', '--propagation', 'private'],
      ...['sh', '-ec', IN_CONTAINER, 'sh', this.#surroundings.hostname, this.#surroundings.address],
      ...[context.readOnlyRootFilesystem === true ? 'ro' : 'rw', String(mounts.length / 3), ...mounts],
      ...['env', '-i', ...Object.entries(environment).map(([key, value]) => `${key}=${value}`)],
      ...['setpriv', `--reuid=${user}`, `--regid=${context.runAsGroup ?? user}`],
      context.fsGroup === undefined ? '--clear-groups' : `--groups=${context.fsGroup}`,
      ...[
        `--bounding-set=-all${kept}`,
        '--inh-caps=-all',
        '--no-new-privs',
        '--pdeathsig=KILL',
        '--',
        ...expanded,
      ],
    ];
  }

  #environment(container: Container): Record<string, string> {
    const fields: Record<string, string | undefined> = { 'status.hostIP': this.#surroundings.address };
    const entries = (container.env ?? []).map(({ name, value, valueFrom }) => [
      name,
      value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ''] ?? '',
    ]);
    return {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...(Object.fromEntries(entries) as Record<string, string>),
    };
  }

  #unknown(name: string): never {
    throw new Error(`Nothing stands for the volume ${name}`);
  }
}

/** `$1` host name, `$2` address, `$3` mode of the root, `$4` number of mounts, from, to and mode of each, command. */
const IN_CONTAINER = `
hostname "$1"
mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
mount --rbind /proc /mnt/root/proc
mount --rbind /dev /mnt/root/dev
mount --rbind /sys /mnt/root/sys
printf '127.0.0.1 localhost\\n%s %s\\n' "$2" "$1" > /mnt/root/etc/hosts
mode=$3
count=$4
shift 4
while [ "$count" -gt 0 ]; do
  mkdir -p "/mnt/root$2"
  mount --bind "$1" "/mnt/root$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "/mnt/root$2"
  shift 3
  count=$((count - 1))
done
[ "$mode" = rw ] || mount -o remount,ro /mnt/root
exec chroot /mnt/root "$@"
`;
