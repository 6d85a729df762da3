import type { BoardStep, Probe, StepContext } from '../../board-step.ts';
import type { SiteAccount } from '../../site.ts';
import { succeed } from '../../succeed.ts';
import { accountFinding, groupOf } from './account-findings.ts';

/**
 * `$@` are name, uid, group, gid, and `home` where a home directory is looked for: five of each. A home below a mount of
 * a server is none of the board's, and not even looked at: that would wait for the server.
 */
const PROBE = `
while [ "$#" -ge 5 ]; do
  printf '%s byName %s\\n' "$1" "$(getent passwd "$1")"
  printf '%s byUid %s\\n' "$1" "$(getent passwd "$2")"
  printf '%s groupByName %s\\n' "$1" "$(getent group "$3")"
  printf '%s groupByGid %s\\n' "$1" "$(getent group "$4")"
  if [ "$5" = home ] && ! awk -v home="/home/$1" \\
    '$2 == "/home" || $2 == home { remote = $3 ~ /^(nfs|autofs|fuse)/ } END { exit !remote }' /proc/self/mounts; then
    [ -d "/home/$1" ] || printf '%s home missing\\n' "$1"
  fi
  shift 5
done
`;

/** `$1` name, `$2` uid, `$3` group, `$4` gid, `$5` whether a home directory is made. All of it may be there already. */
const ADD = `
set -e
getent group "$4" > /dev/null || groupadd --gid "$4" "$3"
getent passwd "$1" > /dev/null ||
  useradd --uid "$2" --gid "$4" --no-create-home --home-dir "/home/$1" --shell /bin/bash "$1"
[ "$5" = home ] && [ ! -e "/home/$1" ] || exit 0
new="/home/.$1.bramble-new"
rm -rf "$new"
cp -a /etc/skel "$new"
chown -R "$2:$4" "$new"
chmod 0700 "$new"
mv -T "$new" "/home/$1"
`;

/**
 * Slurm and NFS know accounts by their numbers only. What is there with others is never renumbered: its files would
 * belong to somebody else.
 */
export const accountsStep: BoardStep = {
  name: 'accounts',
  title: 'the same accounts on every board',
  roles: null,
  probe: (context): Probe => ({
    script: PROBE,
    args: context.site.accounts.flatMap((account) => argumentsOf(account, context)),
  }),
  check: (seen, { site }) => accountFinding(seen, site.accounts),
  async apply(context) {
    for (const account of context.site.accounts)
      await succeed(context.connection, {
        argv: ['sh', '-c', ADD, 'sh', ...argumentsOf(account, context)],
        root: true,
      });
    return `added what was missing of ${context.site.accounts.length}`;
  },
};

const argumentsOf = (account: SiteAccount, context: StepContext): string[] => [
  account.name,
  String(account.uid),
  groupOf(account, context.site.accounts),
  String(account.gid),
  homeIsOfTheBoard(account, context) ? 'home' : 'mounted',
];

/** Whether it is not, or will not be, on a server's disk. */
function homeIsOfTheBoard({ name }: SiteAccount, { board, boards, site }: StepContext): boolean {
  if (!board.roles.includes('compute')) return true;
  const mounts = [
    ...site.mounts.map(({ at }) => at),
    ...boards.flatMap(({ storage }) => storage?.partitions.map(({ mountedAt }) => mountedAt) ?? []),
  ];
  return !mounts.includes('/home') && !mounts.includes(`/home/${name}`);
}
