import type { Command } from 'commander';
import type { AccessGrant, AccessRule, ClusterImage, ClusterNamespace } from '../api-types.ts';
import { span } from './measures.ts';
import type { Session } from './session.ts';
import { type Column, table } from './table.ts';

const NAMESPACE_COLUMNS: readonly Column<ClusterNamespace>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'PHASE', value: ({ phase }) => phase },
  { title: 'PODS', value: ({ pods }) => pods, align: 'right' },
  {
    title: 'AGE',
    value: ({ createdAt }) => (createdAt === null ? null : span(Date.now() - Date.parse(createdAt))),
    align: 'right',
  },
  { title: 'PROTECTED', value: (namespace) => (namespace.protected ? 'yes' : null) },
];

type RuleRow = AccessGrant & { rule: AccessRule | null };

const ACCESS_COLUMNS: readonly Column<RuleRow>[] = [
  { title: 'WHO', value: ({ subject }) => subjectText(subject) },
  { title: 'MAY', value: ({ rule }) => rule?.verbs.join(',') ?? 'nothing' },
  { title: 'WHAT', value: ({ rule }) => (rule === null ? null : resourceText(rule)) },
  { title: 'NAMED', value: ({ rule }) => rule?.resourceNames.join(',') || null },
  { title: 'BY', value: ({ binding: { kind, name } }) => `${kind} ${name}` },
  { title: 'ROLE', value: roleText },
];

const IMAGE_COLUMNS: readonly Column<ClusterImage>[] = [
  { title: 'IMAGE', value: ({ reference }) => reference },
  { title: 'PODS', value: ({ pods }) => pods.length, align: 'right' },
  { title: 'NAMESPACES', value: ({ namespaces }) => namespaces.join(',') },
  { title: 'IN REGISTRY', value: ({ mirror }) => presenceText(mirror) },
];

export function addNamespaceCommands(program: Command, session: Session): void {
  program
    .command('namespaces')
    .summary("list the Kubernetes cluster's namespaces")
    .action(async () => {
      const items = await session.client().namespaces.list();
      await session.print({ items }, () => table(NAMESPACE_COLUMNS, items));
    });

  program
    .command('access <namespace>')
    .summary('show who may do what in a namespace, and by which binding')
    .option('--subject <who>', 'user:NAME, group:NAME, serviceaccount:NAMESPACE/NAME, or a bare name')
    .option('--verb <verb>', 'such as delete')
    .option('--resource <resource>', 'such as pods, pods/log or deployments.apps')
    .option('--system', "with the bindings of Kubernetes' own parts")
    .action(async (namespace: string, query: AccessCommandOptions) => {
      const { namespaces } = session.client();
      const access = await namespaces.access(namespace, query);
      await session.print(access, () => table(ACCESS_COLUMNS, access.items.flatMap(rowsOf)));
      if (access.systemLeftOut > 0)
        await session.tell(
          `Without ${access.systemLeftOut} bindings of Kubernetes' own parts; --system shows them.`,
        );
    });

  program
    .command('images')
    .summary('list the container images that the Kubernetes cluster runs')
    .action(async () => {
      const items = await session.client().images.list();
      await session.print({ items }, () => table(IMAGE_COLUMNS, items));
    });
}

interface AccessCommandOptions {
  subject?: string;
  verb?: string;
  resource?: string;
  system?: true;
}

const rowsOf = (grant: AccessGrant): RuleRow[] =>
  grant.rules.length === 0 ? [{ ...grant, rule: null }] : grant.rules.map((rule) => ({ ...grant, rule }));

const subjectText = ({ kind, name, namespace }: AccessGrant['subject']): string =>
  `${kind} ${namespace === null ? name : `${namespace}/${name}`}`;

/** As kubectl names them: `deployments.apps`; of several groups each resource may be in any. */
function resourceText({ apiGroups, resources }: AccessRule): string {
  const groups = apiGroups.filter((group) => group !== '');
  const [only] = groups;
  if (only === undefined) return resources.join(',');
  if (apiGroups.length === 1 && only !== '*')
    return resources.map((resource) => `${resource}.${only}`).join(',');
  return `${resources.join(',')} (${apiGroups.map((group) => (group === '' ? 'core' : group)).join(',')})`;
}

function roleText({ role, rule }: RuleRow): string {
  const from = rule?.from ?? null;
  return `${role.kind} ${role.name}${role.missing ? ', which is missing' : ''}${from === null ? '' : ` (${from})`}`;
}

function presenceText(mirror: ClusterImage['mirror']): string | null {
  if (mirror === null) return null;
  if (mirror.present === null) return 'not known';
  return mirror.present ? 'yes' : 'no';
}
