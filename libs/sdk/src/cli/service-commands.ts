import type { Command } from 'commander';
import type { Operation } from '../api-types.ts';
import { readSettings, readValues, type WantedOptions } from './service-request.ts';
import {
  catalogTable,
  entryDetails,
  eventTable,
  historyTable,
  logText,
  serviceDetails,
  serviceTable,
} from './service-views.ts';
import type { Session } from './session.ts';
import { showOperation } from './show-operation.ts';
import { collect, wholeNumber } from './submit-command.ts';

interface Said {
  reason?: string;
  force?: true;
  verbose?: true;
}

interface ChangeOptions extends WantedOptions, Said {
  keepFailed?: true;
  dryRun?: true;
}

const VERBOSE = 'show what each step writes';
const REASON = 'why; the history shows it';
const WANTED = `
A value of --set is taken as JSON where it is some, else as text. Others can see the command line: secrets belong into a
file. Files are JSON: --settings has settings by name, --values has values of charts by release.

Examples:
  bramble services install registry --dry-run
  bramble services install registry --set size=20Gi --set 'pullThrough=["docker.io"]'
  bramble services install sftp --settings sftp.json --reason "files of the class"
  bramble services upgrade registry --set size=50Gi`;
/** Kinds of operations that are begun for what they show. */
const SHOWN: readonly Operation['kind'][] = ['plan', 'check'];

export function addServiceCommands(program: Command, session: Session): void {
  const services = program
    .command('services')
    .summary('list, install and look after the services of the Kubernetes cluster')
    .action(async () => {
      const items = await session.client().services.list();
      await session.print({ items }, () => serviceTable(items));
    });
  addViews(services, session);
  addChanges(services, session);
}

function addViews(services: Command, session: Session): void {
  services
    .command('catalog [name]')
    .summary('list what can be deployed, or show a service and its settings')
    .action(async (name: string | undefined) => {
      const client = session.client().services;
      if (name === undefined) {
        const items = await client.catalog();
        await session.print({ items }, () => catalogTable(items));
        return;
      }
      const entry = await client.catalogEntry(name);
      await session.print(entry, () => entryDetails(entry));
    });

  services
    .command('show <name>')
    .summary('show how a service is')
    .action(async (name: string) => {
      const service = await session.client().services.get(name);
      await session.print(service, () => serviceDetails(service));
    });

  services
    .command('history <name>')
    .summary('list the revisions of a service; * marks the current one')
    .action(async (name: string) => {
      const items = await session.client().services.history(name);
      await session.print({ items }, () => historyTable(items));
    });

  services
    .command('events <name>')
    .summary("list Kubernetes' events of a service, newest first")
    .action(async (name: string) => {
      const items = await session.client().services.events(name);
      await session.print({ items }, () => eventTable(items));
    });

  services
    .command('logs <name>')
    .summary('print what the containers of a service have written last')
    .option('--lines <n>', 'of each container, at most; 100 where left out', wholeNumber)
    .option('--previous', 'what containers wrote before their last restart')
    .action(async (name: string, { lines, previous }: { lines?: number; previous?: true }) => {
      const items = await session.client().services.logs(name, { lines, previous });
      await session.print({ items }, () => logText(items));
    });
}

function addChanges(services: Command, session: Session): void {
  const changing = (command: Command): Command =>
    command
      .option('--set <key=value>', 'a setting (repeatable)', collect)
      .option('--settings <file>', 'settings, as an object in JSON')
      .option('--values <file>', 'values of charts by release, as an object in JSON')
      .option('--dry-run', 'only show what would become of each object')
      .option('--force', 'take over fields that others own')
      .option('--keep-failed', 'leave what has failed as it is, to look at it')
      .option('--reason <text>', REASON)
      .option('-v, --verbose', VERBOSE)
      .addHelpText('after', WANTED);

  changing(services.command('install <name>').summary('install a service, and show how it goes')).action(
    async (name: string, options: ChangeOptions) => {
      const { reason, force, keepFailed, dryRun } = options;
      const wanted = { settings: await readSettings(options), values: await readValues(options) };
      const client = session.client().services;
      await show(
        session,
        await client.install(name, { ...wanted, reason, force, keepFailed, dryRun }),
        options,
      );
    },
  );

  changing(
    services
      .command('upgrade <name>')
      .summary('bring a service to other settings, or to what the catalogue has now'),
  )
    .option('--reset', 'start from the defaults: settings and values that are not given go')
    .action(async (name: string, options: ChangeOptions & { reset?: true }) => {
      const { reason, force, keepFailed, dryRun, reset = false } = options;
      const client = session.client().services;
      const given = { settings: await readSettings(options), values: await readValues(options) };
      const wanted = reset
        ? { settings: given.settings ?? {}, values: given.values ?? {} }
        : {
            values: given.values,
            // The API takes all settings; secrets among those that are there are hidden, and stay.
            settings: given.settings && { ...(await client.get(name)).settings, ...given.settings },
          };
      const begun = await client.upgrade(name, { ...wanted, reason, force, keepFailed, dryRun });
      await show(session, begun, options);
    });

  services
    .command('rollback <name> [revision]')
    .summary('bring a service back to an earlier revision; where left out, to the one before')
    .option('--force', 'take over fields that others own')
    .option('--reason <text>', REASON)
    .option('-v, --verbose', VERBOSE)
    .action(async (name: string, revision: string | undefined, options: Said) => {
      const { reason, force } = options;
      const to = revision === undefined ? undefined : wholeNumber(revision);
      const begun = await session.client().services.rollback(name, { revision: to, reason, force });
      await show(session, begun, options);
    });

  services
    .command('uninstall <name>')
    .summary('take a service out of the cluster')
    .option('--force', 'although other services depend on it')
    .option('--reason <text>', REASON)
    .option('-v, --verbose', VERBOSE)
    .action(async (name: string, options: Said) => {
      const { reason, force } = options;
      await show(session, await session.client().services.uninstall(name, { reason, force }), options);
    });

  for (const [verb, summary] of [
    ['check', 'look whether a service is as it was applied, and change nothing'],
    ['recover', 'mend what was left half-way'],
    ['mirror', 'copy the images that the cluster runs into the registry'],
  ] as const) {
    services
      .command(`${verb} <name>`)
      .summary(summary)
      .option('-v, --verbose', VERBOSE)
      .action(async (name: string, options: Said) =>
        show(session, await session.client().services[verb](name), options),
      );
  }
}

const show = (
  session: Session,
  begun: Operation,
  { verbose = false }: { verbose?: boolean },
): Promise<void> => showOperation(session, begun, { shows: () => verbose || SHOWN.includes(begun.kind) });
