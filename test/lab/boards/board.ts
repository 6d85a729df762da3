import { LabError } from '../lab-error.ts';
import { waitUntil } from '../waiting.ts';
import { BOARD_ACCOUNT } from './base-recipe.ts';
import type { BoardArchitecture } from './base-recipe.ts';
import { cutPower, hasBooted, initPid, inside, isOn, startMachine, stopMachine } from './board-machine.ts';
import type { BoardRecord } from './board-record.ts';
import { hostKeyFingerprint } from './board-system.ts';
import { boardPaths } from './boards-directory.ts';
import type { BoardsPaths } from './boards-directory.ts';
import { runCommand } from './command.ts';
import type { CommandOptions, CommandResult } from './command.ts';
import { type DiskSettings, plugInDisk } from './disk.ts';
import { answerVcgencmd } from './fixture.ts';
import { boardAddress, plugIn, unplug } from './network.ts';
import type { RaspberryPiName } from './raspberry-pis.ts';
import { answersOnSsh } from './ssh-port.ts';
import { PATIENCE_MS } from '../../patience.ts';

export interface BoardCommandOptions extends CommandOptions {
  /** An account of the board, whose group bears its name. Default root. */
  user?: string;
}

/** A virtual Raspberry Pi, fresh from its first boot, reached over SSH as any other. */
export interface Board {
  /** What the lab calls it. Its own host name is `raspberrypi` until somebody changes it. */
  name: string;
  /** What DHCP gives it. */
  address: string;
  serial: string;
  mac: string;
  raspberryPi: RaspberryPiName;
  /** What its programs are compiled for. */
  architecture: BoardArchitecture;
  /** The key that it was made with: `SHA256:` and 43 characters. */
  hostKeyFingerprint: string;
  /** May use sudo, with the password. */
  user: string;
  password: string;

  isOn(): boolean;
  /** Returns when it has booted. Without the cable that takes minutes, for DHCP, and this gives up after 90 s. */
  start(): Promise<void>;
  /** Shuts it down in order. */
  stop(): Promise<void>;
  /** Ends all that runs on it at once. */
  cutPower(): Promise<void>;
  /** Returns when it has booted again. */
  reboot(): Promise<void>;
  /** Another one after every boot, as the kernel's on a real board. */
  bootId(): Promise<string>;

  /** Whether its SSH port accepts a connection within a second. */
  isReachable(): Promise<boolean>;
  /** Pulls the network cable. The kernel may take some time to notice that the board is out of reach. */
  cutNetwork(): Promise<void>;
  restoreNetwork(): Promise<void>;

  /**
   * Plugs in another disk while the board is off, or with null pulls the one that is there. A disk that was pulled keeps
   * what is on it, and is plugged in again by its serial number.
   */
  exchangeDisk(disk: DiskSettings | null): void;

  /** Runs a command on the board without going over its network. Any exit code is an answer; 127: no such program. */
  run(argv: readonly string[], options?: BoardCommandOptions): Promise<CommandResult>;
  /** @throws LabError when there is no such file. */
  readFile(path: string): Promise<string>;
  /** Sets what `vcgencmd COMMAND` prints from now on. */
  answerVcgencmd(command: string, answer: string): void;
}

const REBOOT_TIMEOUT_MS = PATIENCE_MS;

export function boardOf(paths: BoardsPaths, subnet: string, record: BoardRecord): Board {
  const { name } = record;
  const own = boardPaths(paths, name);

  const processOne = (): number => {
    const pid = initPid(paths, name);
    if (pid === undefined) throw new LabError(`The board ${name} is not on`);
    return pid;
  };

  const run: Board['run'] = async (argv, { user = 'root', ...options } = {}) =>
    runCommand([...inside(processOne()), ...as(user), ...argv], options);

  const readFile: Board['readFile'] = async (path) => {
    const { exitCode, stdout, stderr } = await run(['cat', '--', path]);
    if (exitCode !== 0) throw new LabError(`${name}: ${stderr.trim()}`);
    return stdout;
  };

  return {
    name,
    address: boardAddress(subnet, record),
    serial: record.serial,
    mac: record.mac,
    raspberryPi: record.raspberryPi,
    architecture: record.architecture,
    hostKeyFingerprint: hostKeyFingerprint(own),
    ...BOARD_ACCOUNT,
    isOn: () => isOn(paths, name),
    start: () => startMachine(paths, name),
    stop: () => stopMachine(paths, name),
    cutPower: () => cutPower(paths, name),
    reboot: async () => {
      const before = processOne();
      await run(['systemctl', 'reboot']);
      const isBack = async () => initPid(paths, name) !== before && (await hasBooted(paths, name));
      await waitUntil(`${name} to boot again`, isBack, { timeoutMs: REBOOT_TIMEOUT_MS, intervalMs: 100 });
    },
    bootId: async () => (await readFile('/proc/sys/kernel/random/boot_id')).trim(),
    isReachable: () => answersOnSsh(boardAddress(subnet, record)),
    cutNetwork: () => unplug(paths, record),
    restoreNetwork: () => plugIn(paths, record),
    exchangeDisk: (disk) => {
      if (isOn(paths, name)) throw new LabError(`${name} is on: nobody changes disks now`);
      plugInDisk(own, disk);
    },
    run,
    readFile,
    answerVcgencmd: (command, answer) => answerVcgencmd(own.fixture, command, answer),
  };
}

/** With the environment that a log-in gives, and without what the board itself may not do to the machine. */
function as(user: string): string[] {
  const confinement = '--bounding-set=-mknod,-sys_module,-sys_rawio,-sys_time';
  return ['setpriv', confinement, `--reuid=${user}`, `--regid=${user}`, '--init-groups', '--reset-env'];
}
