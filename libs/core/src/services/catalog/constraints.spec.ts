import { describe, expect, it } from 'vitest';
import type { ClusterCapabilities } from '../service-objects.ts';
import { pageBytesOf, unmetConstraints } from './constraints.ts';

const node = (name: string, over: Partial<ClusterCapabilities['nodes'][number]> = {}) => ({
  ...{ name, architecture: 'arm64', memoryMebibytes: 3800, kernel: '6.12.25+rpt-rpi-v8' },
  ...over,
});
const cluster = (...nodes: ClusterCapabilities['nodes']): ClusterCapabilities => ({
  ...{ version: 'v1.36.3+k3s1', nodes, kinds: new Set(['monitoring.coreos.com/v1/PodMonitor']) },
});
const told = (...input: Parameters<typeof unmetConstraints>) =>
  unmetConstraints(...input).map(({ blocking, message }) => `${blocking ? 'no' : 'yes'}: ${message}`);

describe('what a service asks of a cluster', () => {
  it('is met by one that has it', () => {
    const asked = {
      ...{ architectures: ['arm64'] as const, largestPageSize: 4096, memoryMebibytes: 3800 },
      ...{ kubernetes: '1.36', kinds: ['monitoring.coreos.com/v1/PodMonitor'] },
    };
    expect(told([asked, {}], cluster(node('a')), [])).toEqual([]);
  });

  it('is blocked where no node has it, and pointed out where some have not', () => {
    const asked = [{ architectures: ['arm64'] as const }];
    const pi2 = node('old', { architecture: 'arm' });
    expect(told(asked, cluster(pi2), [])).toEqual([
      'no: has images for arm64 only: add a node of such an architecture',
    ]);
    expect(told(asked, cluster(node('a'), pi2), [])).toEqual([
      'yes: has images for arm64 only: pods that come to old do not start. Taint such nodes.',
    ]);
    expect(told(asked, cluster(node('new', { architecture: null })), [])).toEqual([]);
  });

  it('knows large pages by the board, or else by the kernel of a Raspberry Pi 5', () => {
    const pi5 = node('pi5', { kernel: '6.12.25+rpt-rpi-2712' });
    expect(pageBytesOf(pi5, [])).toBe(16_384);
    expect(pageBytesOf(pi5, [{ name: 'pi5', pageSizeBytes: 4096 }])).toBe(4096);
    expect(pageBytesOf(node('a'), [{ name: 'a', pageSizeBytes: 16_384 }])).toBe(16_384);
    expect(pageBytesOf(node('a', { kernel: null }), [{ name: 'a', pageSizeBytes: null }])).toBeNull();
    const [all] = told([{ largestPageSize: 4096 }], cluster(pi5), []);
    expect(all).toMatch(/^no: .*more than 4096 bytes.*kernel=kernel8\.img/);
    const [some] = told([{ largestPageSize: 4096 }], cluster(node('a'), pi5), []);
    expect(some).toMatch(/^yes: .*as pi5 has/);
  });

  it('compares releases of Kubernetes by their numbers', () => {
    const old = { ...cluster(node('a')), version: '1.9.11' };
    expect(told([{ kubernetes: '1.30' }], old, [])).toEqual([
      'no: needs Kubernetes 1.30 or newer, and this is 1.9.11: upgrade the cluster',
    ]);
  });

  it('needs the memory on one node', () => {
    expect(told([{ memoryMebibytes: 4000 }], cluster(node('a'), node('b')), [])).toEqual([
      'no: needs a node with 4000 MiB of memory, and none has so much: add a larger one',
    ]);
    expect(told([{ memoryMebibytes: 4000 }], cluster(node('a', { memoryMebibytes: null })), [])).toEqual([]);
  });

  it('says what brings a kind, and what nobody can see, once each', () => {
    const asked = { kinds: ['cert-manager.io/v1/Certificate', 'x.io/v1/X'], kernelModules: ['nfs'] };
    expect(told([asked, asked], cluster(node('a')), [])).toEqual([
      'no: needs the kind cert-manager.io/v1/Certificate, which the API server does not know: install the service cert-manager first',
      'no: needs the kind x.io/v1/X, which the API server does not know: install what brings it',
      'yes: needs the module nfs in the kernels of its nodes, which the API server does not tell: `modprobe nfs` there must succeed',
    ]);
  });
});
