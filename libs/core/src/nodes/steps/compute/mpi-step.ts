import { type BoardStep, differs, right, StepProblem } from '../../board-step.ts';
import { readBoardFile, writeBoardFile } from '../../board-files.ts';
import { installPackages, packagesProbe, parsePackages } from '../../packages.ts';
import { mpiParameters } from './mpi-parameters.ts';

const PARAMETERS_PATH = '/etc/openmpi/openmpi-mca-params.conf';

/**
 * What runs MPI programs and compiles C. libopenmpi-dev also brings the `libpmix.so` without which Debian 12's
 * `srun --mpi=pmix` does not start.
 */
const PACKAGES = ['openmpi-bin', 'libopenmpi-dev', 'gcc', 'libc6-dev'];

const PARAMETERS_MARK = 'parameters:';

export const mpiStep: BoardStep = {
  name: 'mpi',
  title: 'Open MPI on the network of the cluster',
  roles: ['compute'],
  probe() {
    const packages = packagesProbe(PACKAGES);
    const parameters = `echo ${PARAMETERS_MARK}; cat ${PARAMETERS_PATH} 2> /dev/null || true`;
    return { script: `${packages.script}\n${parameters}`, args: packages.args ?? [] };
  },
  check(seen, { site, facts }) {
    if (facts.architecture === 'armhf' && releaseOf(facts.os) >= 13)
      throw new StepProblem(
        `${facts.os} has no Open MPI for armhf. Install the board with the 64-bit system, or with release 12.`,
      );
    const { missing, parameters } = parse(seen);
    if (missing.length > 0) return differs(`not installed: ${missing.join(', ')}`);
    if (parameters !== mpiParameters(parameters, site.subnet))
      return differs('Open MPI is not confined to the network of the cluster');
    return right(`Open MPI on ${site.subnet}`);
  },
  async apply(context, seen) {
    const { connection, site } = context;
    const { missing } = parse(seen);
    if (missing.length > 0) await installPackages(context, PACKAGES);
    const current = (await readBoardFile(connection, PARAMETERS_PATH)) ?? '';
    await writeBoardFile(connection, PARAMETERS_PATH, mpiParameters(current, site.subnet));
    return missing.length > 0 ? `installed ${missing.join(', ')}` : `confined to ${site.subnet}`;
  },
};

/** `debian 12` is 12. */
const releaseOf = (os: string): number => Number.parseInt(os.split(' ')[1] ?? '', 10) || 0;

function parse(seen: string): { missing: string[]; parameters: string } {
  const at = seen.indexOf(`${PARAMETERS_MARK}\n`);
  const installed = parsePackages(seen.slice(0, at));
  return {
    missing: PACKAGES.filter((name) => (installed.get(name) ?? null) === null),
    parameters: seen.slice(at + PARAMETERS_MARK.length + 1),
  };
}
