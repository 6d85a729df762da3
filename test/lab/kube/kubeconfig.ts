import { readFileSync } from 'node:fs';
import type { Certificate } from './certificates.ts';

const base64 = (file: string): string => readFileSync(file).toString('base64');

/** What proves who a user is, as kubeconfigs have it. */
export type Credentials = Readonly<Record<string, string>>;

export const certificateCredentials = ({ certificate, key }: Certificate): Credentials => ({
  'client-certificate-data': base64(certificate),
  'client-key-data': base64(key),
});

/** With everything in it, as k3s writes it, so that the file can be carried elsewhere. It is JSON, which is YAML. */
export function kubeconfig(
  url: string,
  authority: Certificate,
  user: string,
  credentials: Credentials,
): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'lab',
        cluster: { server: url, 'certificate-authority-data': base64(authority.certificate) },
      },
    ],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user } }],
    'current-context': 'lab',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
