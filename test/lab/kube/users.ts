import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../atomic-file.ts';
import { LabError } from '../lab-error.ts';
import { authorityOf, ensureUserCertificate, userCertificateOf } from './certificates.ts';
import { KubeApi } from './kube-api.ts';
import type { KubePaths } from './kube-directory.ts';
import { apiServerUrl } from './kube-state.ts';
import type { KubePorts } from './kube-state.ts';
import { certificateCredentials, type Credentials, kubeconfig } from './kubeconfig.ts';

export const ADMIN = 'lab-admin';
/** Who is in it may do everything, before any role is there. */
export const ADMINS = 'system:masters';
/** As whom the API server comes to kubelets. */
export const KUBELETS_CLIENT = 'kube-apiserver-kubelet-client';

/** @throws Error when the admin's certificate is not made yet. */
export function adminApi(paths: KubePaths, ports: KubePorts): KubeApi {
  const own = userCertificateOf(paths.certificates, ADMIN);
  return new KubeApi(apiServerUrl(ports), authorityOf(paths.certificates), own);
}

/** @returns the file */
export async function writeKubeconfig(
  paths: KubePaths,
  url: string,
  user: string,
  groups: readonly string[],
): Promise<string> {
  const own = await ensureUserCertificate(paths.certificates, user, groups);
  return keepKubeconfig(paths, url, user, certificateCredentials(own));
}

/** How the API server names a service account. */
export const accountName = (namespace: string, name: string): string =>
  `system:serviceaccount:${namespace}:${name}`;

/**
 * With a token for an hour, as its pods have one.
 * @returns the file
 * @throws LabError where there is no such account
 */
export async function writeAccountKubeconfig(
  paths: KubePaths,
  url: string,
  api: KubeApi,
  { namespace, name }: { namespace: string; name: string },
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status, body } = await api.ask('POST', path, { spec: { expirationSeconds: 3_600 } });
  if (status !== 201)
    throw new LabError(`The service account ${namespace}/${name} gets no token: ${JSON.stringify(body)}`);
  const { token } = (body as { status: { token: string } }).status;
  return keepKubeconfig(paths, url, accountName(namespace, name), { token });
}

function keepKubeconfig(paths: KubePaths, url: string, user: string, credentials: Credentials): string {
  const file = join(paths.kubeconfigs, user.replaceAll(':', '-'));
  const content = kubeconfig(url, authorityOf(paths.certificates), user, credentials);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== content) writeFileAtomically(file, content, 0o600);
  return file;
}
