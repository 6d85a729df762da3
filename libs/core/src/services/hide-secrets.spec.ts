import { describe, expect, it } from 'vitest';
import { HIDDEN, hideSecrets, revealSecrets, secretsIn } from './hide-secrets.ts';

const VALUES = {
  adminPassword: 'a',
  auth: { existingSecret: 'b', users: ['ada'] },
  env: [
    { name: 'DB_PASSWORD', value: 'c' },
    { name: 'REPLICAS', value: '2' },
    { name: 'LOG', valueFrom: { secretKeyRef: { name: 'd' } } },
  ],
  apiKeys: ['e', 7],
  tls: { privateKey: { pem: 'f' }, enabled: true },
  size: '1Gi',
};
const SHOWN = {
  adminPassword: HIDDEN,
  auth: { existingSecret: HIDDEN, users: ['ada'] },
  env: [
    { name: 'DB_PASSWORD', value: HIDDEN },
    { name: 'REPLICAS', value: '2' },
    { name: 'LOG', valueFrom: { secretKeyRef: { name: HIDDEN } } },
  ],
  apiKeys: [HIDDEN, HIDDEN],
  tls: { privateKey: { pem: HIDDEN }, enabled: true },
  size: '1Gi',
};

describe('secrets', () => {
  it('are hidden below names that say so, also those of environment variables', () => {
    expect(hideSecrets(VALUES)).toEqual(SHOWN);
  });

  it('are hidden below names that the entry says', () => {
    expect(hideSecrets({ line: 'x', other: { line: ['y'] } }, ['line'])).toEqual({
      line: HIDDEN,
      other: { line: [HIDDEN] },
    });
  });

  it('are there again when they are given back, and undefined where they were not there', () => {
    expect(revealSecrets(SHOWN, VALUES)).toEqual(VALUES);
    expect(revealSecrets({ adminPassword: HIDDEN, more: { token: HIDDEN } }, VALUES)).toEqual({
      adminPassword: 'a',
      more: { token: undefined },
    });
  });

  it('are found to be struck out of messages', () => {
    expect(secretsIn(VALUES)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(secretsIn({ line: 'x', password: '' }, ['line'])).toEqual(['x']);
  });
});
