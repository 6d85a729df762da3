import { describe, expect, it } from 'vitest';
import { KubernetesUnavailable } from '#core/cluster/kubernetes-nodes';
import { describeCallFailure } from './kubernetes-failure.ts';

const say = (error: unknown) => describeCallFailure('https://10.0.0.100:6443', error).message;
const refused = (code: number, body: unknown) =>
  Object.assign(new Error(`HTTP-Code: ${code}`), { code, body });

describe('a failed call of Kubernetes', () => {
  it('is told with what the server says', () => {
    const status = JSON.stringify({ kind: 'Status', message: 'nodes is forbidden: User "x" cannot list' });
    expect(say(refused(403, status))).toBe(
      'The API server https://10.0.0.100:6443 does not allow it (403): nodes is forbidden: User "x" cannot list. ' +
        'Bind a role that allows it.',
    );
    expect(say(refused(401, undefined))).toMatch(/does not know who asks \(401\)/);
    expect(say(refused(500, '{"kind":"Status"}'))).toMatch(/answered with 500: \{"kind":"Status"\}$/);
    expect(say(refused(502, '<html>Bad Gateway</html>'))).toMatch(
      /answered with 502: <html>Bad Gateway<\/html>$/,
    );
    expect(say(refused(503, ''))).toMatch(/answered with 503: no reason given$/);
  });

  it('is told with what is wrong with the connection', () => {
    const refusedPort = Object.assign(new Error('connect ECONNREFUSED ::1:6443'), { code: 'ECONNREFUSED' });
    const fetchFailed = new TypeError('fetch failed', { cause: new AggregateError([refusedPort], '') });
    expect(say(fetchFailed)).toBe(
      'The API server https://10.0.0.100:6443 cannot be asked: connect ECONNREFUSED ::1:6443',
    );
    expect(say('odd')).toMatch(/cannot be asked: odd$/);
  });

  it('is told apart where the certificate is not trusted', () => {
    const cause = Object.assign(new Error('unable to verify the first certificate'), {
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
    const error = describeCallFailure('https://10.0.0.100:6443', new TypeError('fetch failed', { cause }));
    expect(error).toBeInstanceOf(KubernetesUnavailable);
    expect(error.message).toMatch(/shows a certificate that is not to be trusted: unable to verify/);
  });
});
