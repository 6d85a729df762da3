import { generateKeyPairSync } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../atomic-file.ts';
import { runOrThrow } from '../boards/command.ts';

/** Files in PEM. */
export interface Certificate {
  certificate: string;
  key: string;
}

const DAYS = '3650';

/** The lab's own authority; nothing else trusts it. */
export const authorityOf = (directory: string): Certificate => filesOf(directory, 'ca');

export async function ensureAuthority(directory: string): Promise<Certificate> {
  return issue(filesOf(directory, 'ca'), [
    ...['-subj', '/CN=bramble-lab', '-addext', 'basicConstraints=critical,CA:TRUE'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature'],
  ]);
}

/** For a server on 127.0.0.1 and these addresses, which may be a client of its own kind as well. */
export function ensureServerCertificate(
  directory: string,
  name: string,
  addresses: readonly string[] = [],
): Promise<Certificate> {
  const names = ['DNS:localhost', ...['127.0.0.1', ...addresses].map((address) => `IP:${address}`)];
  return issueSigned(directory, filesOf(directory, name), [
    ...['-subj', `/CN=${name}`, '-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
    ...['-addext', `subjectAltName=${names.join(',')}`],
  ]);
}

/** For a user of Kubernetes: its name is the CN, its groups are the Os. */
export function ensureUserCertificate(
  directory: string,
  user: string,
  groups: readonly string[],
): Promise<Certificate> {
  const subject = [...groups.map((group) => `/O=${group}`), `/CN=${user}`].join('');
  return issueSigned(directory, userCertificateOf(directory, user), [
    ...['-subj', subject, '-addext', 'extendedKeyUsage=clientAuth'],
  ]);
}

export const userCertificateOf = (directory: string, user: string): Certificate =>
  filesOf(directory, `user-${user.replaceAll(':', '-')}`);

/** The pair by which service accounts' tokens are made and read. */
export function ensureServiceAccountKey(directory: string): string {
  const file = join(directory, 'service-accounts.key');
  if (existsSync(file)) return file;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileAtomically(file, privateKey.export({ format: 'pem', type: 'sec1' }).toString(), 0o600);
  return file;
}

function issueSigned(directory: string, files: Certificate, about: readonly string[]): Promise<Certificate> {
  const ca = authorityOf(directory);
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  const signed = ['-CA', ca.certificate, '-CAkey', ca.key, ...leaf];
  return issue(files, [...signed, ...about]);
}

/** The certificate is there last: a pair that a crash left half is made again. */
async function issue(files: Certificate, about: readonly string[]): Promise<Certificate> {
  if (existsSync(files.certificate)) return files;
  const configuration = `${files.certificate}.cnf`;
  const unfinished = `${files.certificate}.pem`;
  // The sections of the machine's openssl.cnf would make every certificate one of an authority.
  writeFileAtomically(configuration, '[req]\ndistinguished_name = subject\n[subject]\n', 0o600);
  await runOrThrow([
    ...['openssl', 'req', '-config', configuration, '-x509', '-sha256', '-days', DAYS, '-noenc'],
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', files.key, '-out', unfinished],
    ...about,
  ]);
  rmSync(configuration);
  renameSync(unfinished, files.certificate);
  return files;
}

function filesOf(directory: string, name: string): Certificate {
  return { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
}
