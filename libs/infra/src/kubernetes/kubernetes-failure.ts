import { KubernetesUnavailable } from '#core/cluster/kubernetes-nodes';

/** The API server answered with a status that is no success. */
export interface RefusedCall {
  code: number;
  /** JSON of a `Status`, some other text, or nothing. */
  body: unknown;
}

/** What Node says of a certificate that it does not trust. */
const DISTRUST = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Why a call failed, in words for an admin; never with the credentials that it was made with. */
export function describeCallFailure(server: string, error: unknown): KubernetesUnavailable {
  const because = isRefusedCall(error) ? refusal(error) : failure(error);
  return new KubernetesUnavailable(`The API server ${server} ${because}`, { cause: error });
}

function refusal({ code, body }: RefusedCall): string {
  const said = messageIn(body);
  switch (code) {
    case 401:
      return 'does not know who asks (401): has the certificate or the token of the kubeconfig expired?';
    case 403:
      return `does not allow it (403): ${said}. Bind a role that allows it.`;
    default:
      return `answered with ${code}: ${said}`;
  }
}

function failure(error: unknown): string {
  const { message, code } = innermost(error);
  if (code !== undefined && DISTRUST.has(code)) {
    return `shows a certificate that is not to be trusted: ${message} (${code}). Is its authority that of the kubeconfig?`;
  }
  return `cannot be asked: ${message}`;
}

/** `fetch` says what was wrong in the cause of its error, and connections to several addresses have one each. */
function innermost(error: unknown): { message: string; code: string | undefined } {
  if (error instanceof AggregateError && error.message === '') return innermost(error.errors[0]);
  if (!(error instanceof Error)) return { message: String(error), code: undefined };
  if (error.cause !== undefined) return innermost(error.cause);
  return {
    message: error.message,
    code: 'code' in error && typeof error.code === 'string' ? error.code : undefined,
  };
}

function isRefusedCall(error: unknown): error is RefusedCall {
  return error instanceof Error && 'body' in error && 'code' in error && typeof error.code === 'number';
}

function messageIn(body: unknown): string {
  if (typeof body !== 'string' || body === '') return 'no reason given';
  try {
    const status: unknown = JSON.parse(body);
    const said =
      typeof status === 'object' && status !== null && 'message' in status ? status.message : undefined;
    if (typeof said === 'string') return said;
  } catch {
    // A proxy in between speaks HTML.
  }
  return body.slice(0, 200);
}
