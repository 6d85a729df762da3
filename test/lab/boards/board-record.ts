import { createHash } from 'node:crypto';
import { LabError } from '../lab-error.ts';
import type { BoardArchitecture } from './base-recipe.ts';
import type { DiskSettings } from './disk.ts';
import { machineArchitecture } from './emulation.ts';
import type { RaspberryPiName } from './raspberry-pis.ts';

/** What a test may say about a board. All but the name has a default that follows from lab and name. */
export interface BoardSettings {
  /** What the lab calls it: up to 20 lower-case letters, digits and dashes. Its own host name is `raspberrypi`. */
  name: string;
  /** What its programs are compiled for. Default: as the machine's own; another one is emulated. */
  architecture?: BoardArchitecture;
  /** Default `pi4`. */
  raspberryPi?: RaspberryPiName;
  /** 16 hex digits. Two boards may have the same, as cloned cards share other things. */
  serial?: string;
  /** Six pairs of hex digits with colons, lower case. */
  mac?: string;
  /** Output of `vcgencmd` by its first argument, in addition to the usual answers of a healthy board. */
  vcgencmd?: Record<string, string>;
  /** What is plugged in when the board is made, as /dev/sda. Default: no disk. */
  disk?: DiskSettings | null;
}

export interface BoardRecord extends Required<BoardSettings> {
  /** The last number of its address. */
  host: number;
}

const FIRST_HOST = 11;
const LAST_HOST = 199;

/** The usual answers of a healthy board at rest. */
const HEALTHY = {
  get_throttled: 'throttled=0x0',
  measure_temp: "temp=42.8'C",
  measure_volts: 'volt=0.8600V',
  version: 'May 10 2024 12:05:24 \nCopyright (c) 2012 Broadcom\nversion 1234567 (clean) (release) (start)',
};

/**
 * Adds the boards that are not there yet. Those that are keep what they were made with.
 *
 * @throws LabError for a name, serial number or MAC address that is malformed, or a MAC address that is taken.
 */
export function withBoards(
  known: readonly BoardRecord[],
  wanted: readonly BoardSettings[],
  prefix: string,
): BoardRecord[] {
  const boards = [...known];
  for (const settings of wanted) {
    if (boards.some(({ name }) => name === settings.name)) continue;
    const host = FIRST_HOST + boards.length;
    if (host > LAST_HOST) throw new LabError(`A lab has at most ${LAST_HOST - FIRST_HOST + 1} boards`);
    boards.push(boardRecord(settings, host, prefix));
  }
  assertDistinctMacs(boards);
  return boards;
}

function boardRecord(settings: BoardSettings, host: number, prefix: string): BoardRecord {
  const { name } = settings;
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name)) throw new LabError(`${name} cannot be the name of a board`);
  const unique = createHash('sha256').update(`${prefix}/${name}`).digest('hex').slice(0, 8);
  const record = {
    name,
    host,
    architecture: settings.architecture ?? machineArchitecture(),
    raspberryPi: settings.raspberryPi ?? 'pi4',
    serial: settings.serial ?? `10000000${unique}`,
    mac: settings.mac ?? `dc:a6:32:${unique.slice(2, 4)}:${unique.slice(4, 6)}:${unique.slice(6)}`,
    vcgencmd: { ...HEALTHY, ...settings.vcgencmd },
    disk: settings.disk ?? null,
  };
  if (!/^[0-9a-f]{16}$/.test(record.serial)) throw new LabError(`${record.serial} is no serial number`);
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(record.mac))
    throw new LabError(`${record.mac} is no MAC address`);
  return record;
}

function assertDistinctMacs(boards: readonly BoardRecord[]): void {
  const macs = boards.map(({ mac }) => mac);
  const repeated = macs.find((mac, index) => macs.indexOf(mac) !== index);
  if (repeated !== undefined) throw new LabError(`Two boards have the MAC address ${repeated}`);
}
