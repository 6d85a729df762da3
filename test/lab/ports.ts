import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { LabPaths } from './lab-directory.ts';
import { LabError } from './lab-error.ts';
import { NODE_NAMES } from './topology.ts';
import type { NodeName } from './topology.ts';

export interface LabPorts {
  controller: number;
  loginNode: number;
  /** Reserved; only in use while slurmrestd runs. */
  slurmrestd: number;
  nodes: Record<string, number>;
}

const FIRST_PORT = 20_000;
const PORTS_PER_LAB = 10;
const LAB_SLOTS = 1_200;

/**
 * Ten neighbouring ports below the range that the kernel hands out for outgoing connections. The first try is derived
 * from the lab's directory, so a lab keeps its ports over `down` and `up`, and two labs seldom want the same.
 */
export async function chooseFreePorts(paths: LabPaths): Promise<LabPorts> {
  const start = createHash('sha256').update(paths.directory).digest().readUInt32BE(0);
  for (let attempt = 0; attempt < LAB_SLOTS; attempt++) {
    const ports = portsFrom(FIRST_PORT + ((start + attempt) % LAB_SLOTS) * PORTS_PER_LAB);
    if ((await portsInUse(ports)).length === 0) return ports;
  }
  throw new LabError(
    `No ten free neighbouring ports between ${FIRST_PORT} and ${FIRST_PORT + LAB_SLOTS * PORTS_PER_LAB}`,
  );
}

export function nodePort(ports: LabPorts, node: NodeName): number {
  const port = ports.nodes[node];
  if (port === undefined) throw new LabError(`${node} has no port in lab.json`);
  return port;
}

export async function portsInUse(ports: LabPorts): Promise<number[]> {
  const all = [ports.controller, ports.loginNode, ports.slurmrestd, ...Object.values(ports.nodes)];
  const free = await Promise.all(all.map(isFree));
  return all.filter((_, index) => !free[index]);
}

function portsFrom(base: number): LabPorts {
  return {
    controller: base,
    loginNode: base + 1,
    slurmrestd: base + 2,
    nodes: Object.fromEntries(NODE_NAMES.map((name, index) => [name, base + 3 + index])),
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
