import { differs, right, type StepFinding, StepProblem } from '../../board-step.ts';
import type { SiteAccount } from '../../site.ts';

/** What a board knows of one account of the site. */
interface Known {
  /** `name:x:uid:gid:…` by the account's name, and by its number. */
  byName?: string;
  byUid?: string;
  /** `name:x:gid:…` by the name of its group, and by its number. */
  groupByName?: string;
  groupByGid?: string;
  homeIsMissing: boolean;
}

/** The group of an account is called as the first account of the site that has it. */
export const groupOf = ({ gid }: SiteAccount, accounts: readonly SiteAccount[]): string => {
  const owner = accounts.find((account) => account.gid === gid);
  if (owner === undefined) throw new Error(`no account has the group ${gid}`);
  return owner.name;
};

/**
 * Whether a board has the site's accounts.
 * @param seen lines of an account's name, what is told, and what it is
 * @throws StepProblem where a name or a number is taken: files would change hands if Bramble gave others
 */
export function accountFinding(seen: string, accounts: readonly SiteAccount[]): StepFinding {
  const known = parse(seen);
  const inTheWay = accounts.flatMap((account) => conflictsOf(account, known.get(account.name), accounts));
  if (inTheWay.length > 0) throw new StepProblem([...new Set(inTheWay)].join('\n'));
  const missing = accounts.filter(({ name }) => known.get(name)?.byName === undefined);
  if (missing.length > 0) return differs(`without ${list(missing)}`);
  const homeless = accounts.filter(({ name }) => known.get(name)?.homeIsMissing === true);
  if (homeless.length > 0) return differs(`no home directory of ${list(homeless)}`);
  return right(accounts.length === 0 ? 'none' : list(accounts));
}

function conflictsOf(
  account: SiteAccount,
  known: Known | undefined,
  accounts: readonly SiteAccount[],
): string[] {
  if (known === undefined) throw new Error(`nothing was told of ${account.name}`);
  const { name, uid, gid } = account;
  const group = groupOf(account, accounts);
  const [, , uidNow, gidNow] = known.byName?.split(':') ?? [];
  const wanted = `BRAMBLE_BOARD_ACCOUNTS gives "${name}" the uid ${uid} and the gid ${gid}`;
  if (uidNow !== undefined && (uidNow !== String(uid) || gidNow !== String(gid)))
    return [
      `${wanted}; on the board it has ${uidNow} and ${gidNow}. Change the setting, or the board's account and its files (\`usermod --uid ${uid}\`, \`groupmod --gid ${gid}\`, \`find / -xdev -uid ${uidNow} -exec chown -h ${uid} {} +\`).`,
    ];
  const uidOwner = ownerOf(known.byUid);
  if (uidOwner !== undefined && uidOwner !== name)
    return [
      `${wanted}; on the board the uid ${uid} is that of "${uidOwner}". Give "${name}" another uid in the setting, or "${uidOwner}" another one on the board.`,
    ];
  const groupGid = known.groupByName?.split(':')[2];
  if (groupGid !== undefined && groupGid !== String(gid))
    return [
      `${wanted}; on the board the group "${group}" has the gid ${groupGid}. Change the setting, or the board's group (\`groupmod --gid ${gid} ${group}\`) and its files.`,
    ];
  const gidOwner = ownerOf(known.groupByGid);
  if (known.byName === undefined && gidOwner !== undefined && gidOwner !== group)
    return [
      `${wanted}; on the board the gid ${gid} is that of the group "${gidOwner}". Give "${name}" another gid in the setting, or "${gidOwner}" another one on the board.`,
    ];
  return [];
}

const ownerOf = (entry: string | undefined): string | undefined => entry?.split(':')[0];

const list = (accounts: readonly SiteAccount[]): string =>
  accounts.map(({ name, uid, gid }) => `${name} (${uid}:${gid})`).join(', ');

function parse(seen: string): Map<string, Known> {
  const all = new Map<string, Known>();
  for (const line of seen.split('\n').filter((text) => text !== '')) {
    const [name = '', what = '', ...rest] = line.split(' ');
    const entry = rest.join(' ');
    const known = all.get(name) ?? { homeIsMissing: false };
    all.set(name, known);
    if (entry === '') continue;
    if (what === 'byName') known.byName = entry;
    if (what === 'byUid') known.byUid = entry;
    if (what === 'groupByName') known.groupByName = entry;
    if (what === 'groupByGid') known.groupByGid = entry;
    if (what === 'home') known.homeIsMissing = entry === 'missing';
  }
  return all;
}
