import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { UnixAccount } from '#core/jobs/slurm-controller';
import type { CommandResult } from '#infra/slurm/command-transport';
import { findKubernetes } from '#infra/kubernetes/kubernetes-access';
import { ExecTransport, type ExecTransportOptions } from '#infra/slurm/exec-transport';
import { SlurmCliController } from '#infra/slurm/slurm-cli-controller';
import { SlurmCliInventory } from '#infra/slurm/slurm-cli-inventory';
import { type KubeLab, kubeDown, kubeUp } from '../lab/kube/kube-lab.ts';
import { ODD_ARGUMENTS } from './odd-arguments.ts';
import { defaultLabDirectory } from '../lab/lab-directory.ts';
import { labDown, labUp, type SlurmLab } from '../lab/slurm-lab.ts';
import { TEST_LAB_DIRECTORY } from '../lab/test-lab.ts';
import { waitUntil } from '../lab/waiting.ts';
import { PATIENCE_MS } from '../patience.ts';
import { slowSbatch } from './slow-sbatch.ts';
import { slurmControllerConformance } from './slurm-controller.conformance.ts';

/** Its controller is stopped, so it is a lab of its own. */
const DIRECTORY = `${defaultLabDirectory()}-exec`;
const KUBE_DIRECTORY = `${TEST_LAB_DIRECTORY}-kube-exec`;
/** The first time on a machine the programs are built. */
const BUILD_TIMEOUT_MS = 45 * 60_000;
const TIMEOUT = { timeoutMs: 20_000 };
const WAIT = { timeoutMs: PATIENCE_MS, intervalMs: 50 };
const NAMESPACE = 'slurm';
const NODE = 'kv-worker-0';
const SELECTOR = 'app.kubernetes.io/name=slurm,app.kubernetes.io/component=controller';
const LABELS = { 'app.kubernetes.io/name': 'slurm', 'app.kubernetes.io/component': 'controller' };

/** As Bramble's chart has them. */
const EXEC_RULES = [
  { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
  { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
];

/** The pod is make-believe, and its commands run on this machine; API server, kubelet's protocol and Slurm are real. */
describe('Slurm in a pod', () => {
  let lab: SlurmLab;
  let kube: KubeLab;
  let scratch: string;
  let kubelet: { close(): Promise<void> };

  beforeAll(async () => {
    kube = await kubeUp({ dir: KUBE_DIRECTORY });
    scratch = mkdtempSync(join(tmpdir(), 'bramble-exec-'));
    for (const namespace of [NAMESPACE, 'empty']) await makeNamespace(namespace);
    kubelet = await kube.runCommandsOf(NODE);
    await makePod('slurm-0', LABELS);
    await waitUntil(
      'commands to run in the pod',
      async () => (await transportTo().run(['true'], TIMEOUT)).kind === 'exited',
      WAIT,
    );
  }, BUILD_TIMEOUT_MS);
  afterAll(async () => {
    await kubelet.close();
    await kubeDown(KUBE_DIRECTORY);
    rmSync(scratch, { recursive: true, force: true });
  });

  afterEach(() => vi.unstubAllEnvs());

  const makeNamespace = async (name: string) => {
    await kube.api.create('/api/v1/namespaces', { metadata: { name } });
    await waitUntil(
      `pods to be taken in ${name}`,
      async () =>
        (await kube.api.ask('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`)).status === 200,
      WAIT,
    );
  };
  const makePod = (name: string, labels: Record<string, string>, node = NODE) =>
    kube.api.create(`/api/v1/namespaces/${NAMESPACE}/pods`, {
      metadata: { name, labels },
      spec: {
        containers: ['slurmctld', 'login'].map((container) => ({ name: container, image: 'slurm' })),
        nodeSelector: { 'kubernetes.io/hostname': node },
      },
    });
  const transportTo = (options: Partial<ExecTransportOptions> & { kubeconfig?: string } = {}) =>
    new ExecTransport({
      access: { kind: 'kubeconfig', file: options.kubeconfig ?? kube.kubeconfig },
      timeoutMs: 5_000,
      namespace: NAMESPACE,
      selector: SELECTOR,
      container: 'login',
      ...options,
    });
  const ways = (transport: ExecTransport) => ({
    transport,
    binDir: lab.binDir,
    slurmConf: lab.slurmConf,
  });
  const firstAccount = async (): Promise<UnixAccount> => {
    const answer = await new SlurmCliController(ways(transportTo())).account(lab.accounts.first);
    if (answer.kind !== 'present') throw new Error('the lab has no account');
    return answer.value;
  };
  const saidBy = (result: CommandResult) => ('because' in result ? result.because : result.stdout);

  slurmControllerConformance(async () => {
    lab = await labUp({ dir: DIRECTORY });
    const controller = new SlurmCliController(ways(transportTo()));
    await controller.settings();
    return {
      lab,
      controller,
      inventory: new SlurmCliInventory(ways(transportTo())),
      close: () => labDown(DIRECTORY),
    };
  });

  describe('commands', () => {
    it('hand each argument to the program as it is', async () => {
      const odd = [...ODD_ARGUMENTS, '%00', '+', '&command=id', '\r\n'];
      const account = await firstAccount();
      for (const options of [
        TIMEOUT,
        { ...TIMEOUT, account },
        { ...TIMEOUT, account, input: odd.join('') },
      ]) {
        const result = await transportTo().run(['sh', '-c', 'cat; printf "%s\\0" "$V" "$@"', 'sh', ...odd], {
          ...options,
          env: { V: odd.join('') },
        });
        const input = 'input' in options ? options.input : '';
        expect(saidBy(result)).toBe([input + odd.join(''), ...odd, ''].join('\0'));
      }
    });

    it('see a clean environment, as the account', async () => {
      const account = await firstAccount();
      const result = await transportTo().run(['sh', '-c', 'env; id -u; id -g'], { ...TIMEOUT, account });
      expect(saidBy(result).trimEnd().split('\n').sort()).toEqual(
        [
          `HOME=${account.home}`,
          'LANG=C.UTF-8',
          `LOGNAME=${account.name}`,
          'PATH=/usr/local/bin:/usr/bin:/bin',
          `PWD=/`,
          `USER=${account.name}`,
          String(account.uid),
          String(account.gid),
        ].sort(),
      );
    });

    it('get all of their input, however large, and none where there is none', async () => {
      const read = ['sh', '-c', 'wc -c; md5sum /dev/null | cut -c1-4'] as const;
      for (const size of [0, 1, 65_536, 65_537, 5_000_000]) {
        const result = await transportTo().run(read, { ...TIMEOUT, input: 'x'.repeat(size) });
        expect(saidBy(result)).toBe(`${size}\nd41d\n`);
      }
      expect(saidBy(await transportTo().run(['wc', '-c'], TIMEOUT))).toBe('0\n');
    });

    it('are told apart by how they end', async () => {
      const transport = transportTo();
      expect(await transport.run(['sh', '-c', 'echo a; echo b >&2; exit 7'], TIMEOUT)).toEqual({
        kind: 'exited',
        code: 7,
        stdout: 'a\n',
        stderr: 'b\n',
      });
      expect(await transport.run(['no-such-program'], TIMEOUT)).toMatchObject({ kind: 'exited', code: 127 });
      expect(await transport.run(['yes'], { ...TIMEOUT, maximumOutputBytes: 1000 })).toMatchObject({
        kind: 'flooded',
      });
      const mark = `${30_000 + process.pid}.5`;
      expect(await transport.run(['sleep', mark], { timeoutMs: 300 })).toMatchObject({ kind: 'timed_out' });
      expect(await transport.run(['sleep', mark], { timeoutMs: 300, input: 'x' })).toMatchObject({
        kind: 'timed_out',
      });
      await expect.poll(async () => (await lab.run(['pgrep', '-fx', `sleep ${mark}`])).stdout).toBe('');
    });

    it('run side by side', async () => {
      const transport = transportTo();
      const meeting = mkdtempSync(join(scratch, 'meeting-'));
      // Each waits until eight have come.
      const meet = `cd ${meeting}; touch $$; until [ "$(ls | wc -l)" -ge 8 ]; do sleep 0.05; done`;
      const results = await Promise.all(
        Array.from({ length: 8 }, () => transport.run(['sh', '-c', meet], TIMEOUT)),
      );
      expect(results).toEqual(Array(8).fill({ kind: 'exited', code: 0, stdout: '', stderr: '' }));
    });
  });

  describe('where it cannot be', () => {
    const refused = async (options: Parameters<typeof transportTo>[0], input?: string) => {
      const result = await transportTo(options).run(['true'], {
        ...TIMEOUT,
        ...(input === undefined ? {} : { input }),
      });
      expect(result).toMatchObject({ kind: 'unreachable' });
      return saidBy(result);
    };

    it('says which setting names no pod, or no container of it', async () => {
      expect(await refused({ namespace: 'empty' })).toBe(
        `no pod of the namespace empty has the labels ${SELECTOR}: does Slurm run there, and are SLURM_EXEC_NAMESPACE ` +
          'and SLURM_EXEC_SELECTOR right?',
      );
      expect(await refused({ pod: 'slurm-9' })).toBe(
        'there is no pod slurm-9 in the namespace slurm: are SLURM_EXEC_POD and SLURM_EXEC_NAMESPACE right?',
      );
      expect(await refused({ container: 'shell' })).toBe(
        'the pod slurm-0 has no container shell, but slurmctld, login: is SLURM_EXEC_CONTAINER right?',
      );
    });

    it('says why the container does not run', async () => {
      await makePod('away-0', { app: 'away' }, 'nowhere');
      expect(await refused({ selector: 'app=away' })).toBe(
        'the container login of the pod away-0 does not run: the pod is Pending',
      );
      await makePod('crashing-0', { app: 'crashing' });
      await expect.poll(() => statusOf('crashing-0')).toMatchObject({ phase: 'Running' });
      await kube.api.patch(`/api/v1/namespaces/${NAMESPACE}/pods/crashing-0/status`, {
        status: {
          containerStatuses: [
            {
              name: 'login',
              image: 'slurm',
              imageID: '',
              ready: false,
              restartCount: 4,
              state: { waiting: { reason: 'CrashLoopBackOff' } },
            },
          ],
        },
      });
      expect(await refused({ selector: 'app=crashing' })).toBe(
        'the container login of the pod crashing-0 does not run: CrashLoopBackOff, restarted 4 times',
      );
    });

    it('names the right that is missing', async () => {
      const kubeconfig = await kube.kubeconfigOf('exec-nobody');
      expect(await refused({ kubeconfig })).toMatch(
        /let Bramble list pods in the namespace slurm \(403\)\. Bind a role/,
      );
      expect(await refused({ kubeconfig, pod: 'slurm-0' })).toMatch(
        /let Bramble get pods in the namespace slurm/,
      );
      await allow('exec-nobody', [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }]);
      await expect
        .poll(() => refused({ kubeconfig }))
        .toMatch(
          /let Bramble run commands in the pod slurm-0 .* create pods\/exec: the value kubernetes\.slurmNamespace=slurm/,
        );
    });

    it('works with the rights that the chart gives', async () => {
      const kubeconfig = await kube.kubeconfigOf('exec-worker');
      await allow('exec-worker', EXEC_RULES);
      await expect
        .poll(() => transportTo({ kubeconfig }).run(['echo', 'hello'], TIMEOUT))
        .toMatchObject({ kind: 'exited', stdout: 'hello\n' });
    });

    it('works by the service account of a pod', async () => {
      const account = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/bramble-worker`;
      await kube.api.create(account.replace(/\/[^/]+$/, ''), { metadata: { name: 'bramble-worker' } });
      await allow('exec-pod', EXEC_RULES, {
        kind: 'ServiceAccount',
        name: 'bramble-worker',
        namespace: NAMESPACE,
      });
      const { body } = await kube.api.ask('POST', `${account}/token`, { spec: { expirationSeconds: 600 } });
      const secrets = join(scratch, 'var/run/secrets/kubernetes.io/serviceaccount');
      mkdirSync(secrets, { recursive: true });
      writeFileSync(join(secrets, 'token'), (body as { status: { token: string } }).status.token);
      writeFileSync(join(secrets, 'ca.crt'), readFileSync(kube.authority));
      const { hostname, port } = new URL(kube.url);
      vi.stubEnv('KUBERNETES_SERVICE_HOST', hostname);
      vi.stubEnv('KUBERNETES_SERVICE_PORT', port);
      const access = findKubernetes(undefined, process.env, scratch);
      if (access?.kind !== 'service-account') throw new Error('it is not taken for a pod');
      await expect
        .poll(() => transportTo({ access }).run(['echo', 'hello'], TIMEOUT))
        .toMatchObject({ kind: 'exited', stdout: 'hello\n' });
    });

    it('says that nobody answers, or nobody to be trusted', async () => {
      const file = kubeconfigWith('closed', { server: 'https://127.0.0.1:1' });
      expect(await refused({ kubeconfig: file })).toMatch(/ECONNREFUSED/);
      expect(await refused({ kubeconfig: join(scratch, 'none') })).toMatch(/cannot be read/);
    });

    it.each([
      ['speaks with WebSockets', ['ExtendWebSocketsToKubelet'], /^unreachable$/],
      // Here the server accepts the client before it asks the kubelet. Where it then closes with input unread, TCP resets
      // the connection, and may take along what the server had said of the reason.
      ['speaks with SPDY, as before Kubernetes 1.36', null, /^(lost|unreachable)$/],
    ])(
      'tells a kubelet that is away, one that the server %s, and tries again',
      async (_, declaredFeatures, kind) => {
        const transport = transportTo();
        await transport.run(['true'], TIMEOUT);
        await kube.api.patch(`/api/v1/nodes/${NODE}/status`, {
          status: { declaredFeatures, daemonEndpoints: { kubeletEndpoint: { Port: 1 } } },
        });
        try {
          const result = await transport.run(['true'], { ...TIMEOUT, input: 'x' });
          expect(result.kind).toMatch(kind);
          expect(saidBy(result)).toMatch(
            result.kind === 'lost'
              ? /closed the connection without an exit status/
              : /does not reach the pod slurm-0 of the namespace slurm|connection refused/,
          );
          expect((await transport.run(['true'], TIMEOUT)).kind).toMatch(/^(lost|unreachable)$/);
        } finally {
          await kubelet.close();
          kubelet = await kube.runCommandsOf(NODE);
        }
        expect(await transport.run(['true'], TIMEOUT)).toMatchObject({ kind: 'exited', code: 0 });
      },
    );

    it('runs commands by a server that cannot be told the end of the input', async () => {
      const old = await kube.runCommandsOf('kv-worker-1', ['v4.channel.k8s.io']);
      try {
        await makePod('old-0', { app: 'old' }, 'kv-worker-1');
        const transport = transportTo({ selector: 'app=old' });
        const command = ['sh', '-c', 'wc -c; exit 3'] as const;
        await expect
          .poll(() => transport.run(command, { ...TIMEOUT, input: 'x'.repeat(200_000) }))
          .toEqual({ kind: 'exited', code: 3, stdout: '200000\n', stderr: '' });
      } finally {
        await old.close();
      }
    });

    it('finds the pod that has come in place of another', async () => {
      const selector = 'app=moving';
      await makePod('moving-a', { app: 'moving' });
      const transport = transportTo({ selector });
      await expect.poll(async () => (await transport.run(['true'], TIMEOUT)).kind).toBe('exited');
      await makePod('moving-b', { app: 'moving' });
      await expect.poll(() => statusOf('moving-b')).toMatchObject({ phase: 'Running' });
      await kube.api.ask('DELETE', `/api/v1/namespaces/${NAMESPACE}/pods/moving-a`);
      await expect
        .poll(async () => (await kube.api.ask('GET', `/api/v1/namespaces/${NAMESPACE}/pods/moving-a`)).status)
        .toBe(404);
      expect(await transport.run(['echo', 'hello'], TIMEOUT)).toMatchObject({
        kind: 'exited',
        stdout: 'hello\n',
      });
    });
  });

  const statusOf = async (pod: string) =>
    ((await kube.api.get(`/api/v1/namespaces/${NAMESPACE}/pods/${pod}`)) as { status: object }).status;
  const allow = async (
    user: string,
    rules: object[],
    subject: object = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user },
  ) => {
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;
    await kube.api.create(`${rbac}/roles`, { metadata: { name: user }, rules });
    await kube.api.create(`${rbac}/rolebindings`, {
      metadata: { name: user },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
      subjects: [subject],
    });
  };
  /** The admin's kubeconfig, with another cluster. */
  const kubeconfigWith = (name: string, change: Record<string, unknown>): string => {
    const config = JSON.parse(readFileSync(kube.kubeconfig, 'utf8')) as {
      clusters: { cluster: Record<string, unknown> }[];
    };
    for (const { cluster } of config.clusters) Object.assign(cluster, change);
    const file = join(scratch, name);
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  };

  describe('where the connection breaks', () => {
    it('a submission is unclear, and the next command finds the server again', async () => {
      const controller = new SlurmCliController({ ...ways(transportTo()), binDir: slowSbatch(lab, 3) });
      await controller.settings();
      const account = await firstAccount();
      const comment = `lost-${process.pid}`;
      const submitting = controller.submit({
        script: `#!/bin/sh\n#SBATCH --comment=${comment} --output=/dev/null\ntrue\n`,
        account,
      });
      await sleep(1_500);
      await kube.killApiServer();
      expect(await submitting).toMatchObject({
        kind: 'unclear',
        because: expect.stringContaining('its answer was lost') as string,
      });
      expect(await controller.list()).toMatchObject({
        kind: 'unknown',
        because: expect.stringMatching(/could not be started: .*(ECONNREFUSED|ECONNRESET)/) as string,
      });
      await kube.startApiServer();
      await expect.poll(async () => (await controller.list()).kind).toBe('present');
      const jobs = await controller.list();
      expect(
        jobs.kind === 'present' && jobs.value.filter((job) => job.comment === comment).length,
      ).toBeLessThanOrEqual(1);
    });

    it('a command never sees half of its input', async () => {
      const transport = transportTo();
      const file = join(scratch, 'input');
      const input = 'x'.repeat(30_000_000);
      const running = transport.run(['sh', '-c', 'cat > "$1"', 'sh', file], { ...TIMEOUT, input });
      await sleep(60);
      await kube.killApiServer();
      expect((await running).kind).toMatch(/^(lost|unreachable)$/);
      await sleep(300);
      expect(existsSync(file) ? statSync(file).size : input.length).toBe(input.length);
      await kube.startApiServer();
    });

    it('a server that does not answer is not waited for longer than agreed', async () => {
      const transport = transportTo({ waitAtMostMs: 600 });
      await transport.run(['true'], TIMEOUT);
      kube.freezeApiServer();
      try {
        expect(await transport.run(['true'], { ...TIMEOUT, input: 'x' })).toMatchObject({
          kind: 'unreachable',
        });
        expect(await transportTo({ timeoutMs: 500 }).run(['true'], TIMEOUT)).toMatchObject({
          kind: 'unreachable',
        });
      } finally {
        kube.thawApiServer();
      }
    });
  });
});
