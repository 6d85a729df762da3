import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../atomic-file.ts';
import { authorityOf, ensureUserCertificate, userCertificateOf } from './certificates.ts';
import { KubeApi } from './kube-api.ts';
import type { KubePaths } from './kube-directory.ts';
import { apiServerUrl } from './kube-state.ts';
import type { KubePorts } from './kube-state.ts';
import { kubeconfig } from './kubeconfig.ts';

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
  const file = join(paths.kubeconfigs, user.replaceAll(':', '-'));
  const content = kubeconfig(url, authorityOf(paths.certificates), user, own);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== content) writeFileAtomically(file, content, 0o600);
  return file;
}
