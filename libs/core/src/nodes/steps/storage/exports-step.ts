import type { BoardStorage } from '../../board.ts';
import { type BoardStep, differs, right, type StepContext } from '../../board-step.ts';
import { succeed } from '../../succeed.ts';
import { OWNED_FILES_LINES, ownedFilesArguments, writeOwnedFiles } from '../base/owned-files.ts';
import { EXPORTS_FILE, exportsFile, notServed } from './exports-file.ts';
import { installStoragePackages } from './storage-packages.ts';
import { withdrawExportsStep } from './withdraw-exports-step.ts';

const ETAB_MARK = 'etab:';

const PROBE = `
command -v exportfs > /dev/null && echo installed
[ ! -e ${EXPORTS_FILE} ] || echo exports
systemctl show --property=ActiveState --property=UnitFileState nfs-server.service
${OWNED_FILES_LINES}
echo ${ETAB_MARK}
cat /var/lib/nfs/etab 2> /dev/null || true
`;

/** The kernel's NFS server, for the boards' subnet. */
export const exportsStep: BoardStep = {
  name: 'exports',
  title: 'what is exported over NFS',
  roles: ['storage'],
  probe(context) {
    const { storage } = context.board;
    const file = storage === null ? undefined : exportsFile(storage, context.site.subnet);
    return { script: PROBE, args: ownedFilesArguments(file === undefined ? [] : [file]) };
  },
  check(seen, context) {
    const { storage } = context.board;
    if (storage === null) return right('nothing to offer');
    const { subnet } = context.site;
    const lines = seen.split('\n');
    if (exportsFile(storage, subnet) === undefined)
      return lines.includes('exports')
        ? differs('something is still exported')
        : right('nothing is exported');
    if (!lines.includes('installed')) return differs('there is no NFS server');
    if (lines.includes(`file ${EXPORTS_FILE}`)) return differs(`${EXPORTS_FILE} has other exports`);
    if (!lines.includes('UnitFileState=enabled'))
      return differs('the NFS server does not start with the board');
    if (!lines.includes('ActiveState=active')) return differs('the NFS server does not run');
    const missing = notServed(seen.slice(seen.indexOf(ETAB_MARK)), storage, subnet);
    if (missing !== undefined) return differs(`${missing} is not exported to ${subnet} as it should be`);
    return right(`${placesIn(storage)} to ${subnet}`);
  },
  async apply(context, seen) {
    const { connection, site } = context;
    const { storage } = context.board;
    const file = storage === null ? undefined : exportsFile(storage, site.subnet);
    if (storage === null || file === undefined) return withdrawExportsStep.apply(context, seen);
    if (!seen.split('\n').includes('installed')) await installStoragePackages(context, storage);
    await succeed(connection, { argv: ['mkdir', '-p', '-m', '0755', '/etc/exports.d'], root: true });
    await writeOwnedFiles(connection, [file]);
    await serve(context);
    return `${placesIn(storage)} to ${site.subnet}`;
  },
};

async function serve({ connection }: StepContext): Promise<void> {
  await succeed(connection, {
    ...{ argv: ['systemctl', 'enable', '--quiet', '--now', 'nfs-server.service'], root: true },
    timeoutMs: 120_000,
  });
  await succeed(connection, { argv: ['exportfs', '-ra'], root: true });
}

const placesIn = ({ partitions }: BoardStorage): string =>
  partitions
    .filter(({ mountedAt }) => mountedAt !== null)
    .map(({ label, mountedAt }) => `/srv/${label} (${mountedAt ?? ''})`)
    .join(', ');
