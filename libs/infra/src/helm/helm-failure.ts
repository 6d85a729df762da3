import { withoutSecrets } from '#core/services/hide-secrets';
import type { HelmFailure, HelmFailureCode } from '#core/services/helm-releases';
import { chartHint } from '../kubernetes/services/describe-missing-right.ts';
import { missingRightIn } from '../kubernetes/services/missing-right.ts';
import type { HelmEnd } from './run-helm.ts';

/** What is known about a failure by Helm's own words, which are those of Helm 4.2, and what an admin can do. */
const KNOWN: readonly { words: RegExp; code: HelmFailureCode; remedy: string }[] = [
  {
    words: /another operation \(install\/upgrade\/rollback\) is in progress|release: already exists/,
    code: 'busy',
    remedy:
      'Another Helm is at work on this release, or was killed there: then it has to be recovered first.',
  },
  {
    words: /has no deployed releases/,
    code: 'busy',
    remedy: 'Its uninstallation was not finished: it has to be recovered first.',
  },
  {
    words: /exists and cannot be imported into the current release/,
    code: 'conflict',
    remedy: 'Somebody else has made this object: remove or rename it, or let its own release have it.',
  },
  {
    words:
      /kubernetes cluster unreachable|connection refused|i\/o timeout|TLS handshake timeout|no route to host/i,
    code: 'unreachable',
    remedy: 'Does the API server run, and is the kubeconfig the right one?',
  },
  {
    words: /is forbidden: User |Unauthorized|must be logged in to the server/,
    code: 'forbidden',
    remedy: 'Bind a role to that user, or give BRAMBLE_KUBECONFIG an account that may do it.',
  },
  {
    words: /failed to get object .+ not found/,
    code: 'vanished',
    remedy: 'It was still being deleted when Helm began, and is gone now: try again.',
  },
  {
    words: /unknown (shorthand )?flag/,
    code: 'program',
    remedy: 'This Helm is too old or too new for Bramble: give the path of a Helm 4 in BRAMBLE_HELM.',
  },
];

/** Lines that Helm and its libraries log, beside the error itself. */
const LOGGED = /^(level=|time=|[IWEF]\d{4} |WARNING: |Release "[^"]*" does not exist\. Installing it now\.)/;
/** With `--debug` only; without it an uninstallation that fails does not say why. `pkg/action/uninstall.go` */
const HIDDEN_CAUSE = /^level=DEBUG msg="uninstall: Failed to delete release" error=(".*")$/m;

/** Why Helm has failed, in its own words and with a remedy. @param secrets what must not be in it */
export function describeFailure(end: HelmEnd, secrets: readonly string[] = []): HelmFailure {
  if (end.kind === 'not_started') return { kind: 'failed', code: 'program', message: end.because };
  if (end.kind === 'ended')
    return { kind: 'failed', code: 'other', message: `Helm has not ended: ${end.because}` };
  const said = withoutSecrets(wordsOf(end.stderr, end.code), secrets);
  const conflict = describeConflict(said);
  if (conflict !== undefined) return { kind: 'failed', code: 'conflict', message: conflict };
  const known = KNOWN.find(({ words }) => words.test(said));
  if (known === undefined) return { kind: 'failed', code: 'other', message: said };
  const right = missingRightIn(said);
  const hint = right === undefined ? '' : chartHint(right);
  return { kind: 'failed', code: known.code, message: `${said}\n${known.remedy}${hint}` };
}

function wordsOf(stderr: string, code: number): string {
  const lines = stderr.split('\n').filter((line) => !LOGGED.test(line));
  const text = lines
    .join('\n')
    .trim()
    .replace(/^Error: /, '');
  const cause = HIDDEN_CAUSE.exec(stderr)?.[1];
  const words = text === '' ? `Helm failed with exit code ${code}` : text;
  return cause === undefined ? words : `${words}: ${unquoted(cause)}`;
}

/** Go quotes as JSON does, but for characters that are no text. */
function unquoted(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}

const OBJECT =
  /conflict occurred while applying object (\S+) \/?(\S+), Kind=(\w+): Apply failed with \d+ conflicts?: /;
const MANAGER =
  /conflicts? with "([^"]+)"(?: with subresource "[^"]*")? using \S+?:(?: (\..*)|((?:\n- .*)+))/g;

/**
 * A conflict of field managers in a sentence. The API server writes one field behind the manager, and several below it.
 * `structured-merge-diff` and `apiserver/pkg/endpoints/handlers/fieldmanager`
 * @returns undefined where it is something else
 */
function describeConflict(said: string): string | undefined {
  const object = OBJECT.exec(said);
  if (object === null) return undefined;
  const owners = [...said.matchAll(MANAGER)].map(([, manager = '', one, several = '']) => {
    const fields = one === undefined ? several.split('\n- ').filter((field) => field !== '') : [one];
    return `"${manager}" owns ${fields.join(', ')}`;
  });
  const [, name = '', apiVersion = '', kind = ''] = object;
  return (
    `Others own fields of the ${kind} ${name} (${apiVersion}) that this release sets: ${owners.join('; ')}. ` +
    'Have them removed there, leave them out of the values, or force conflicts: then this release takes them over.'
  );
}
