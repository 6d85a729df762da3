import { readFile } from 'node:fs/promises';
import type { WorkerConfiguration } from '#core/configuration/configuration';
import { StepProblem } from '#core/nodes/board-step';
import type { Site } from '#core/nodes/site';
import { describeFailure } from '#infra/storage/file-system-error';

/** munge refuses keys outside of these. */
const MUNGE_KEY_BYTES = { least: 32, most: 1024 };

/** What all boards share, as the worker's configuration has it. */
export function siteOf(configuration: WorkerConfiguration): Site {
  const { BRAMBLE_BOARD_SLURM: slurm } = configuration;
  return {
    domain: configuration.BRAMBLE_DOMAIN,
    subnet: configuration.BRAMBLE_BOARD_SUBNET,
    timeServers: configuration.BRAMBLE_BOARD_TIME_SERVERS,
    aptProxy: configuration.BRAMBLE_BOARD_APT_PROXY ?? null,
    accounts: configuration.BRAMBLE_BOARD_ACCOUNTS,
    mounts: configuration.BRAMBLE_BOARD_MOUNTS,
    slurm:
      slurm === undefined
        ? null
        : { ...slurm, mungeKey: () => readMungeKey(configuration.BRAMBLE_MUNGE_KEY_FILE) },
  };
}

/** @throws StepProblem where the file is not there, or is no key */
async function readMungeKey(path: string): Promise<string> {
  const key = await readFile(path).catch((error: unknown) => {
    throw new StepProblem(
      `munge's key cannot be read (${describeFailure(error)}): BRAMBLE_MUNGE_KEY_FILE is ${path}.`,
    );
  });
  if (key.length < MUNGE_KEY_BYTES.least || key.length > MUNGE_KEY_BYTES.most)
    throw new StepProblem(
      `${path} is no key of munge: it has ${key.length} bytes, and must have 32 to 1,024.`,
    );
  return key.toString('base64');
}
