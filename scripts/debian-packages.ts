import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

/** What can be asked for. Each set is installed whole or not at all. */
export type PackageSet =
  | 'slurm'
  | 'ssh'
  | 'redis'
  | 'curl'
  | 'browser'
  | 'slurmrestd'
  | 'boards'
  | 'emulation'
  | 'sudo'
  | 'kube'
  | 'containers'
  | 'images'
  | 'prometheus'
  | 'ansible';

export type Log = (line: string) => void;

interface PackageSetContents {
  /** Why Bramble wants the set; shown before anything is installed. */
  purpose: string;
  /** A file that only this package brings. `LIBRARY` stands for each `/usr/lib/<architecture>` directory. */
  proofs: Record<string, string>;
  /** Units that Debian would start at the next boot. They are disabled again unless they were there before. */
  services: string[];
}

const PACKAGE_SETS: Record<PackageSet, PackageSetContents> = {
  slurm: {
    purpose: 'a real Slurm with Open MPI and compilers for C, C++ and Fortran',
    proofs: {
      slurmctld: '/usr/sbin/slurmctld',
      slurmd: '/usr/sbin/slurmd',
      'slurm-client': '/usr/bin/sbatch',
      'slurm-wlm-jwt-plugin': 'LIBRARY/slurm-wlm/auth_jwt.so',
      munge: '/usr/sbin/munged',
      'openmpi-bin': '/usr/bin/mpirun',
      'libopenmpi-dev': '/usr/bin/mpifort',
      gcc: '/usr/bin/gcc',
      'g++': '/usr/bin/g++',
      gfortran: '/usr/bin/gfortran',
    },
    services: ['slurmctld.service', 'slurmd.service', 'munge.service'],
  },
  sudo: {
    purpose: 'becoming root on a board, as the tests do it',
    proofs: { sudo: '/usr/bin/sudo' },
    services: [],
  },
  ssh: {
    purpose: 'a login node that is reached over SSH',
    proofs: { 'openssh-server': '/usr/sbin/sshd', 'openssh-client': '/usr/bin/ssh' },
    services: ['ssh.service'],
  },
  redis: {
    purpose: 'the queue of the HTTP API',
    proofs: { 'redis-server': '/usr/bin/redis-server' },
    services: ['redis-server.service'],
  },
  curl: {
    purpose: 'the examples that need nothing else',
    proofs: { curl: '/usr/bin/curl' },
    services: [],
  },
  browser: {
    purpose: 'tests in a real browser',
    proofs: { chromium: '/usr/bin/chromium' },
    services: [],
  },
  slurmrestd: {
    purpose: "Slurm's own REST daemon, for comparison in the benchmark",
    proofs: { slurmrestd: '/usr/sbin/slurmrestd' },
    services: ['slurmrestd.service'],
  },
  boards: {
    purpose: 'virtual Raspberry Pis that can be enrolled',
    proofs: {
      debootstrap: '/usr/sbin/debootstrap',
      'debian-archive-keyring': '/usr/share/keyrings/debian-archive-keyring.gpg',
      'systemd-container': '/usr/bin/systemd-nspawn',
      iproute2: '/sbin/ip',
      'dnsmasq-base': '/usr/sbin/dnsmasq',
      'apt-cacher-ng': '/usr/sbin/apt-cacher-ng',
      'openssh-client': '/usr/bin/ssh-keygen',
    },
    services: ['apt-cacher-ng.service', 'machines.target'],
  },
  emulation: {
    purpose: 'virtual Raspberry Pis of another architecture than the machine has',
    proofs: { 'qemu-user-static': '/usr/bin/qemu-aarch64-static' },
    services: [],
  },
  prometheus: {
    purpose: 'a real Prometheus that dashboards are checked against',
    proofs: {
      prometheus: '/usr/bin/prometheus',
      'prometheus-node-exporter': '/usr/bin/prometheus-node-exporter',
    },
    services: ['prometheus.service', 'prometheus-node-exporter.service'],
  },
  ansible: {
    purpose: 'Ansible, for comparison in the benchmark of boards',
    proofs: { 'ansible-core': '/usr/bin/ansible-playbook', 'openssh-client': '/usr/bin/ssh' },
    services: [],
  },
  kube: {
    purpose: 'a Kubernetes control plane for tests',
    proofs: {
      'etcd-server': '/usr/bin/etcd',
      openssl: '/usr/bin/openssl',
      curl: '/usr/bin/curl',
      unzip: '/usr/bin/unzip',
      zip: '/usr/bin/zip',
    },
    services: ['etcd.service'],
  },
  containers: {
    purpose: 'a machine that runs pods',
    proofs: {
      runc: '/usr/sbin/runc',
      'containernetworking-plugins': '/usr/lib/cni/bridge',
      nftables: '/usr/sbin/nft',
      iptables: '/usr/sbin/iptables',
      ipset: '/usr/sbin/ipset',
      'dnsmasq-base': '/usr/sbin/dnsmasq',
      iproute2: '/sbin/ip',
    },
    services: ['nftables.service'],
  },
  images: {
    purpose: 'container images, and a registry for them',
    proofs: {
      buildah: '/usr/bin/buildah',
      debootstrap: '/usr/sbin/debootstrap',
      'debian-archive-keyring': '/usr/share/keyrings/debian-archive-keyring.gpg',
      'docker-registry': '/usr/bin/docker-registry',
      'ca-certificates': '/etc/ssl/certs/ca-certificates.crt',
    },
    services: ['docker-registry.service'],
  },
};

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY_MARK = '# Placed by Bramble while packages are installed; pid ';
const POLICY_WAIT_MS = 15 * 60_000;
const INSTALL_LOG = '/var/log/bramble-debian-packages.log';

/** Packages cannot be installed here. The message names the command that the user has to run. */
export class DebianPackagesError extends Error {
  override readonly name = 'DebianPackagesError';
}

/**
 * Makes sure that the packages of a set are installed.
 *
 * When all of them are there this looks at a few files and returns, without a call of apt. Otherwise the missing ones
 * are installed, and no daemon of theirs is started, now or at the next boot.
 *
 * @throws DebianPackagesError when not root, when the system has no apt, or when apt fails.
 */
export async function ensureDebianPackages(set: PackageSet, log: Log): Promise<void> {
  if (missingPackages(set).length === 0) return;
  assertCanInstall(set);
  const policy = await forbidServiceStarts();
  try {
    const missing = missingPackages(set);
    if (missing.length > 0) await install(set, missing, log);
  } finally {
    policy.release();
  }
}

/** The packages of a set whose files are not there. Takes well under a millisecond. */
export function missingPackages(set: PackageSet): string[] {
  return Object.entries(PACKAGE_SETS[set].proofs)
    .filter(([, proof]) => !isPresent(proof))
    .map(([name]) => name);
}

function isPresent(proof: string): boolean {
  if (!proof.startsWith('LIBRARY/')) return existsSync(proof);
  return readdirSync('/usr/lib')
    .filter((name) => name.includes('-linux-gnu'))
    .some((name) => existsSync(proof.replace('LIBRARY', `/usr/lib/${name}`)));
}

function assertCanInstall(set: PackageSet): void {
  const missing = missingPackages(set).join(' ');
  const need = `Bramble needs ${PACKAGE_SETS[set].purpose}, and these packages are missing: ${missing}.`;
  if (!existsSync('/usr/bin/apt-get')) {
    throw new DebianPackagesError(
      `${need} This system has no apt-get; install what corresponds to these Debian packages and try again.`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new DebianPackagesError(
      `${need} Installing them takes root. Run:\n` +
        `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing}`,
    );
  }
}

async function install(set: PackageSet, missing: string[], log: Log): Promise<void> {
  const { purpose, services } = PACKAGE_SETS[set];
  log(`Installing ${missing.join(' ')} for ${purpose} (output: ${INSTALL_LOG})`);
  const startedAt = Date.now();
  const absentBefore = services.filter((unit) => !unitExists(unit));
  const installArguments = ['install', '-y', '--no-install-recommends', ...missing];

  const hadPackageLists = await apt(['install', '--simulate', '--no-install-recommends', ...missing]);
  if (!hadPackageLists) await updatePackageLists(log);
  let installed = await apt(installArguments);
  if (!installed && hadPackageLists) {
    await updatePackageLists(log);
    installed = await apt(installArguments);
  }
  const stillMissing = missingPackages(set);
  if (!installed || stillMissing.length > 0) {
    throw new DebianPackagesError(
      `apt-get could not install ${(installed ? stillMissing : missing).join(' ')}. See ${INSTALL_LOG}, or run:\n` +
        `  apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`,
    );
  }
  await keepDisabled(absentBefore.filter(unitExists));
  log(
    `Installed ${missing.length} package(s) in ${((Date.now() - startedAt) / 1000).toFixed(1)} s; no service was started`,
  );
}

async function updatePackageLists(log: Log): Promise<void> {
  log("Updating apt's package lists");
  if (!(await apt(['update']))) {
    throw new DebianPackagesError(
      `apt-get update failed; is the package mirror reachable? See ${INSTALL_LOG}`,
    );
  }
}

function apt(commandArguments: string[]): Promise<boolean> {
  return runLogged('/usr/bin/apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...commandArguments]);
}

function unitExists(unit: string): boolean {
  return ['/lib/systemd/system', '/usr/lib/systemd/system', '/etc/systemd/system'].some((directory) =>
    existsSync(`${directory}/${unit}`),
  );
}

async function keepDisabled(units: string[]): Promise<void> {
  if (units.length > 0 && existsSync('/usr/bin/systemctl')) {
    await runLogged('/usr/bin/systemctl', ['disable', ...units]);
  }
}

function runLogged(command: string, commandArguments: string[]): Promise<boolean> {
  const output = openSync(INSTALL_LOG, 'a', 0o644);
  writeFileSync(output, `\n== ${new Date().toISOString()} ${command} ${commandArguments.join(' ')}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, {
      stdio: ['ignore', output, output],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
    });
    child.once('error', reject);
    child.once('close', (exitCode) => {
      resolve(exitCode === 0);
    });
  }).finally(() => {
    closeSync(output);
  }) as Promise<boolean>;
}

/**
 * Debian starts a daemon as soon as its package is configured, unless `policy-rc.d` answers 101. An administrator's own
 * policy is left alone. Ours doubles as the lock between two installations: whoever finds another's waits for it.
 */
async function forbidServiceStarts(): Promise<{ release(): void }> {
  const content = `#!/bin/sh\n${POLICY_MARK}${process.pid}\nexit 101\n`;
  const giveUpAt = Date.now() + POLICY_WAIT_MS;
  for (;;) {
    try {
      writeFileSync(POLICY_FILE, content, { flag: 'wx', mode: 0o755 });
      return releaseOnExit();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const installer = installerNamedIn(POLICY_FILE);
    if (installer === 'administrator') return { release: () => undefined };
    if (installer === 'nobody') continue;
    if (!existsSync(`/proc/${installer}`)) rmSync(POLICY_FILE, { force: true });
    else if (Date.now() > giveUpAt) {
      throw new DebianPackagesError(
        `Process ${installer} has been installing packages for 15 minutes; see ${INSTALL_LOG}`,
      );
    } else await sleep(500);
  }
}

function installerNamedIn(policyFile: string): number | 'administrator' | 'nobody' {
  let content: string;
  try {
    content = readFileSync(policyFile, 'utf8');
  } catch {
    return 'nobody';
  }
  const pid = content.split(POLICY_MARK)[1]?.split('\n')[0];
  return pid === undefined ? 'administrator' : Number(pid);
}

function releaseOnExit(): { release(): void } {
  const remove = (): void => {
    rmSync(POLICY_FILE, { force: true });
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    remove();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('exit', remove);
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  return {
    release: () => {
      remove();
      process.off('exit', remove);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
    },
  };
}

function isPackageSet(name: string): name is PackageSet {
  return Object.hasOwn(PACKAGE_SETS, name);
}

async function main(names: string[]): Promise<number> {
  const known = Object.keys(PACKAGE_SETS).join(' ');
  if (names.length === 0 || !names.every(isPackageSet)) {
    console.error(`Usage: node scripts/debian-packages.ts SET...\nSets: ${known}`);
    return 2;
  }
  for (const set of names) {
    const missing = missingPackages(set);
    await ensureDebianPackages(set, (line) => {
      console.log(line);
    });
    if (missing.length === 0) console.log(`${set}: all there`);
  }
  return 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof DebianPackagesError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
