import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  EXPORTER,
  EXPORTER_FILES,
  METRICS,
  METRICS_LINK,
  TIMER,
} from '#core/nodes/steps/base/node-exporter-files';
import { nodeDefinition } from '#core/nodes/steps/compute/node-definition';
import { DROP_IN, DROP_IN_PATH } from '#core/nodes/steps/compute/slurmd-files';
import { boardPaths, boardsPaths } from '../../lab/boards/boards-directory.ts';
import { type BenchCluster, BOARDS_DIRECTORY } from './bench-cluster.ts';

/** What a run of Ansible begins with, all in one directory. */
export interface AnsibleFiles {
  directory: string;
  configuration: string;
  inventory: string;
  privateKey: string;
  knownHosts: string;
  becomePassword: string;
}

/** Writes inventory, the files that boards are to have, and the host keys of the boards. The key pair is there already. */
export async function writeAnsibleFiles(
  cluster: BenchCluster,
  directory: string,
  privateKey: string,
): Promise<AnsibleFiles> {
  mkdirSync(join(directory, 'files'), { recursive: true, mode: 0o700 });
  const files = {
    directory,
    configuration: join(directory, 'ansible.cfg'),
    inventory: join(directory, 'inventory.json'),
    privateKey,
    knownHosts: join(directory, 'known_hosts'),
    becomePassword: join(directory, 'become-password'),
  };
  // Without a file of its own, Ansible would take the user's.
  writeFileSync(files.configuration, '');
  const boards = [...cluster.boards];
  const password = boards[0]?.[1].password ?? '';
  writeFileSync(files.becomePassword, `${password}\n`, { mode: 0o600 });
  writeFileSync(files.inventory, JSON.stringify(await inventory(cluster, directory), null, 2));
  writeFileSync(
    files.knownHosts,
    boards
      .map(([, { name, address }]) => {
        const { hostKey } = boardPaths(boardsPaths(BOARDS_DIRECTORY), name);
        return `${address} ${readFileSync(`${hostKey}.pub`, 'utf8').split(' ', 2).join(' ')}\n`;
      })
      .join(''),
  );
  return files;
}

async function inventory(cluster: BenchCluster, directory: string): Promise<object> {
  const source = (path: string, content: string): string => {
    const file = join(directory, 'files', basename(path));
    writeFileSync(file, content);
    return file;
  };
  const hosts = await Promise.all(
    [...cluster.boards].map(async ([name, { address, user }]) => {
      const { facts } = await cluster.bramble.admin.admin.boards.get(name);
      if (facts === null) throw new Error(`${name} was not enrolled`);
      const variables = {
        ansible_host: address,
        ansible_user: user,
        ansible_python_interpreter: '/usr/bin/python3',
        slurm_features: nodeDefinition(facts).features,
      };
      return [name, variables] as const;
    }),
  );
  return {
    boards: {
      hosts: Object.fromEntries(hosts),
      vars: {
        domain: cluster.domain,
        subnet: cluster.subnet,
        accounts: [cluster.account].map(({ name, uid, gid }) => ({ name, uid, gid })),
        exporter_files: EXPORTER_FILES.map(({ path, content, mode = '644' }) => ({
          path,
          mode: `0${mode}`,
          source: source(path, content),
        })),
        exporter_units: [`${EXPORTER}.service`, TIMER],
        metrics_file: METRICS,
        metrics_link: METRICS_LINK,
        munge_key_file: cluster.slurm.mungeKeyFile,
        slurm_server: `${cluster.slurm.host}:${cluster.slurm.port}`,
        slurmd_defaults_template: fileURLToPath(new URL('slurmd-defaults.j2', import.meta.url)),
        slurmd_drop_in: { path: DROP_IN_PATH, source: source('slurmd.conf', DROP_IN) },
      },
    },
  };
}
