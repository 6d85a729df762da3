import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { parseConfiguration, workerConfigurationSchema } from '#core/configuration/configuration';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const dockerfile = read('deploy/docker/bramble/Dockerfile');

/** Whether the builder is sent a path: the last line that matches it or what it is in decides. */
function isSent(path: string, ignore: readonly string[]): boolean {
  let sent = true;
  for (const line of ignore) {
    const again = line.startsWith('!');
    const pattern = again ? line.slice(1) : line;
    if (picomatch([pattern, `${pattern}/**`], { dot: true })(path)) sent = again;
  }
  return sent;
}

describe('deploy/docker/bramble/Dockerfile', () => {
  const ignore = read('deploy/docker/bramble/Dockerfile.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

  it('copies what is there, and what the builder is sent', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    expect(copied).toEqual(expect.arrayContaining(['apps', 'libs/core', 'package-lock.json']));
    for (const path of copied) {
      expect(existsSync(fileURLToPath(new URL(path, ROOT))), path).toBe(true);
      expect(isSent(path, ignore), path).toBe(true);
    }
  });

  it('is sent nothing else', () => {
    for (const path of [
      ...['.git/config', 'node_modules/zod/package.json', 'dist/api.js', 'test/lab/cli.ts'],
      ...['apps/api/src/main.spec.ts', 'libs/sdk/src/index.ts', 'deploy/cluster/.vagrant/k3s-token', '.env'],
    ])
      expect(isSent(path, ignore), path).toBe(false);
  });

  it('has the Helm that the tests use', () => {
    const [, tested] = /helm\.sh\/helm\/v4 (v\S+)/.exec(read('test/lab/kube/tools/go.mod')) ?? [];
    expect(dockerfile).toContain(`ARG HELM_VERSION=${tested ?? '?'}\n`);
  });

  it('has Helm and the charts of services where the worker looks for them', () => {
    const { BRAMBLE_HELM } = parseConfiguration(workerConfigurationSchema, {});
    const [, worker = ''] = dockerfile.split(/^FROM runtime AS worker$/m);
    expect(worker).toContain(`COPY --from=helm /helm /usr/local/bin/${BRAMBLE_HELM}\n`);
    // Above /app/dist, where the program is.
    expect(dockerfile).toContain('WORKDIR /app\n');
    expect(worker).toContain('COPY deploy/helm/services deploy/helm/services\n');
    expect(isSent('deploy/helm/services/slurm/Chart.yaml', ignore)).toBe(true);
  });

  it('has the authorities that Helm trusts, of which the base image has none', () => {
    const [, worker = ''] = dockerfile.split(/^FROM runtime AS worker$/m);
    expect(worker).toMatch(
      /^COPY --from=debian \S+ca-certificates\.crt \/etc\/ssl\/certs\/ca-certificates\.crt$/m,
    );
  });

  it('has a Node that the packages take', () => {
    const [, major] = /ARG NODE_IMAGE=\S+node:(\d+)/.exec(dockerfile) ?? [];
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } };
    expect(devDependencies.node.replace(/^\D*/, '').split('.')[0]).toBe(major);
  });

  it('ends as no user that anything belongs to', () => {
    expect(dockerfile.match(/^USER .*/gm)).toEqual(['USER 65532:65532']);
  });
});
