import { describe, expect, it } from 'vitest';
import { describeFailure } from './helm-failure.ts';

const failed = (stderr: string, secrets: string[] = []) =>
  describeFailure({ kind: 'exited', code: 1, stdout: '', stderr }, secrets);

describe('what Helm says when it fails', () => {
  it('names every field that others own, and who they are', () => {
    const { code, message } = failed(
      'level=WARN msg="upgrade failed" name=d error="conflict occurred"\n' +
        'Error: UPGRADE FAILED: conflict occurred while applying object y/d apps/v1, Kind=Deployment: ' +
        'Apply failed with 3 conflicts: conflicts with "kubectl-edit" using apps/v1:\n- .spec.replicas\n' +
        '- .spec.template.spec.containers[name="c"].image\n' +
        'conflict with "autoscaler" with subresource "scale" using apps/v1: .spec.paused\n',
    );
    expect(code).toBe('conflict');
    expect(message).toBe(
      'Others own fields of the Deployment y/d (apps/v1) that this release sets: "kubectl-edit" owns .spec.replicas, ' +
        '.spec.template.spec.containers[name="c"].image; "autoscaler" owns .spec.paused. ' +
        'Have them removed there, leave them out of the values, or force conflicts: then this release takes them over.',
    );
  });

  it.each([
    ['busy', 'UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress'],
    ['busy', 'UPGRADE FAILED: "gg" has no deployed releases'],
    [
      'conflict',
      'ConfigMap "one" in namespace "y" exists and cannot be imported into the current release: x',
    ],
    ['unreachable', 'kubernetes cluster unreachable: Get "https://10.0.0.1/version": connection refused'],
    ['forbidden', 'secrets is forbidden: User "mallory" cannot list resource "secrets" in API group ""'],
    ['program', 'unknown flag: --server-side'],
    ['vanished', 'failed to get object y/d apps/v1, Kind=Deployment: deployments.apps "d" not found'],
    ['other', 'namespaces "x" not found'],
  ])('is %s: %s', (code, words) => {
    const failure = failed(`Error: ${words}\n`);
    expect(failure.code).toBe(code);
    expect(failure.message.startsWith(words)).toBe(true);
  });

  it('has all its lines, and not those of its libraries', () => {
    const said =
      'W1123 01:40:14.000000 1 warnings.go:70] spec is deprecated\nlevel=INFO msg="warning: skipped value"\n' +
      'Error: resource Job/y/hook not ready. status: InProgress\ncontext deadline exceeded\n';
    expect(failed(said).message).toBe(
      'resource Job/y/hook not ready. status: InProgress\ncontext deadline exceeded',
    );
    expect(failed('').message).toBe('Helm failed with exit code 1');
  });

  it('tells why objects could not be deleted', () => {
    const said =
      'level=DEBUG msg="uninstall: Failed to delete release" error="[configmaps \\"gg\\" is forbidden: User \\"half\\" ' +
      'cannot delete resource]"\nError: failed to delete release: gg\n';
    const { code, message } = failed(said);
    expect(code).toBe('forbidden');
    expect(message).toMatch(
      /^failed to delete release: gg: \[configmaps "gg" is forbidden: User "half" cannot/,
    );
  });

  it('has no secret in it, in clear or as a Secret has it', () => {
    const { message } = failed('Error: Invalid value: "hunter22" (aHVudGVyMjI=)', ['hunter22', 'x', '']);
    expect(message).toBe('Invalid value: "******" (******)');
  });
});
