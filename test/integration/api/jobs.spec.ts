import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApi, type SignedIn, startApi } from './running-api.ts';

let api: RunningApi;
let user: SignedIn;

beforeAll(async () => {
  api = await startApi();
  user = await api.signIn('user');
});
afterAll(() => api.close());

const command = { command: ['true'] };

/** A request with one thing wrong, and the field that has to be named. */
const BAD_REQUESTS: [what: string, body: unknown, field: string][] = [
  ['nothing to run', {}, 'body'],
  ['two things to run', { script: '#!/bin/sh\n', command: ['true'] }, 'body'],
  ['an unknown field', { ...command, nodez: 4 }, 'body'],
  ['an unknown field inside', { mpi: { program: 'x', np: 4 } }, 'mpi'],
  ['a list', [], 'body'],
  ['nodes as text', { ...command, nodes: '4' }, 'nodes'],
  ['no nodes', { ...command, nodes: 0 }, 'nodes'],
  ['half a node', { ...command, nodes: 1.5 }, 'nodes'],
  ['absurdly many nodes', { ...command, nodes: 1e9 }, 'nodes'],
  ['absurdly many tasks', { ...command, tasks: Number.MAX_SAFE_INTEGER }, 'tasks'],
  ['a bare number as time limit', { ...command, timeLimit: '10' }, 'timeLimit'],
  ['a negative time limit', { ...command, timeLimit: '-5m' }, 'timeLimit'],
  ['no time at all', { ...command, timeLimit: '0s' }, 'timeLimit'],
  ['a century', { ...command, timeLimit: '36500d' }, 'timeLimit'],
  ['memory without a unit', { ...command, memory: '512' }, 'memory'],
  ['a NUL in the name', { ...command, name: 'a\0b' }, 'name'],
  ['a newline in the name', { ...command, name: 'a\n#SBATCH --uid=0' }, 'name'],
  ['a quote in the name', { ...command, name: 'a" --uid=0' }, 'name'],
  ['a percent in the name', { ...command, name: 'a%j' }, 'name'],
  ['a substitution in the name', { ...command, name: '$(id)' }, 'name'],
  ['a very long name', { ...command, name: 'a'.repeat(129) }, 'name'],
  ['a space in the partition', { ...command, partition: 'a --uid=0' }, 'partition'],
  ['a newline in the partition', { ...command, partition: 'a\nb' }, 'partition'],
  ['a backtick in the account', { ...command, account: '`id`' }, 'account'],
  ['a semicolon in the QOS', { ...command, qos: 'a;id' }, 'qos'],
  ['a quote in the constraint', { ...command, constraint: 'a" "b' }, 'constraint'],
  ['a dollar in the constraint', { ...command, constraint: '$HOME' }, 'constraint'],
  ['an empty command', { command: [] }, 'command'],
  ['a NUL in an argument', { command: ['echo', 'a\0b'] }, 'command[1]'],
  ['a command as text', { command: 'echo hi' }, 'command'],
  ['a script without #!', { script: 'echo hi' }, 'script'],
  ['a script with DOS lines', { script: '#!/bin/sh\r\necho hi\r\n' }, 'script'],
  ['a script with a NUL', { script: '#!/bin/sh\n\0' }, 'script'],
  ['an #SBATCH option that Bramble sets', { script: '#!/bin/sh\n#SBATCH --output=/etc/passwd\n' }, 'script'],
  ['an #SBATCH option with a bad value', { script: '#!/bin/sh\n#SBATCH --partition="a b"\n' }, 'script'],
  ['a variable with a space in its name', { ...command, env: { 'A B': '1' } }, 'env.A B'],
  ['a variable that is code', { ...command, env: { 'A=$(id);B': '1' } }, 'env.A=$(id);B'],
  ["a variable of Slurm's", { ...command, env: { SLURM_JOB_ID: '1' } }, 'env.SLURM_JOB_ID'],
  ['a NUL in a variable', { ...command, env: { A: 'a\0b' } }, 'env.A'],
  [
    'an input above its directory',
    { ...command, inputs: [{ path: '../x', content: 'a' }] },
    'inputs[0].path',
  ],
  ['an absolute input', { ...command, inputs: [{ path: '/etc/cron.d/x', content: 'a' }] }, 'inputs[0].path'],
  ['an input with a dot part', { ...command, inputs: [{ path: 'a/./b', content: 'a' }] }, 'inputs[0].path'],
  ['an input with a newline', { ...command, inputs: [{ path: 'a\nb', content: 'a' }] }, 'inputs[0].path'],
  [
    'an input in the control directory',
    { ...command, inputs: [{ path: '.bramble/claim', content: 'a' }] },
    'inputs[0].path',
  ],
  [
    'an input named twice',
    {
      ...command,
      inputs: [
        { path: 'a', content: '1' },
        { path: 'a', content: '2' },
      ],
    },
    'inputs[1].path',
  ],
  ['a set-uid input', { ...command, inputs: [{ path: 'a', content: '1', mode: '04755' }] }, 'inputs[0].mode'],
  [
    'an input from two sources',
    { ...command, inputs: [{ path: 'a', content: '1', artifact: `art_${'0'.repeat(26)}` }] },
    'inputs[0]',
  ],
  [
    'an artifact that is not there',
    { ...command, inputs: [{ path: 'a', artifact: `art_${'0'.repeat(26)}` }] },
    'inputs[0].artifact',
  ],
  ['an output pattern above its directory', { ...command, outputs: ['../*'] }, 'outputs[0]'],
  ['an absolute output pattern', { ...command, outputs: ['/etc/*'] }, 'outputs[0]'],
  ['a source with a path', { mpi: { source: { name: '../x.c', content: '' } } }, 'mpi.source.name'],
  ['a source that no compiler takes', { mpi: { source: { name: 'x.py', content: '' } } }, 'mpi.source.name'],
  ['a source named like an option', { mpi: { source: { name: '-o.c', content: '' } } }, 'mpi.source.name'],
  [
    'a compiler flag that is no flag',
    { mpi: { source: { name: 'x.c', content: '' }, compilerFlags: ['/etc/passwd'] } },
    'mpi.compilerFlags[0]',
  ],
  [
    'a compiler flag with code',
    { mpi: { source: { name: 'x.c', content: '' }, compilerFlags: ['-D$(id)'] } },
    'mpi.compilerFlags[0]',
  ],
  ['an unknown launcher', { mpi: { program: 'x', launcher: 'sh' } }, 'mpi.launcher'],
  ['a label with a newline', { ...command, labels: { a: 'b\nc' } }, 'labels.a'],
];

describe('a request that is not right', () => {
  it.each(BAD_REQUESTS)('400 for %s', async (_, body, field) => {
    const response = await user.http
      .post('/v1/jobs')
      .send(body as object)
      .expect(400);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.body).toMatchObject({ status: 400, code: 'invalid_request' });
    const fields = response.body.faults.map((fault: { field: string }) => fault.field);
    expect(fields).toContain(field);
  });

  it('names every fault at once', async () => {
    const response = await user.http
      .post('/v1/jobs')
      .send({ command: ['x'], nodes: 0, memory: '1', name: '$' })
      .expect(400);
    expect(response.body.faults.map((fault: { field: string }) => fault.field).sort()).toEqual([
      'memory',
      'name',
      'nodes',
    ]);
  });

  it('400 for JSON that is none, 413 for too much of it, 400 for a body that is no JSON', async () => {
    const send = (body: string, type = 'application/json') =>
      user.http.post('/v1/jobs').set('Content-Type', type).send(body);
    expect((await send('{"command": [').expect(400)).body.code).toBe('invalid_request');
    expect(
      (await send(JSON.stringify({ script: `#!${'a'.repeat(5 * 1024 * 1024)}` })).expect(413)).body.code,
    ).toBe('payload_too_large');
    await send('command=true', 'application/x-www-form-urlencoded').expect(400);
  });

  it('records nothing', async () => {
    const other = await api.signIn('user');
    await other.http
      .post('/v1/jobs')
      .send({ ...command, nodes: 0 })
      .expect(400);
    expect((await other.http.get('/v1/jobs')).body.items).toEqual([]);
  });

  it.each([
    ['limit=0', 'query.limit'],
    ['limit=abc', 'query.limit'],
    ['cursor=nonsense', 'cursor'],
    ['state=sleeping', 'query.state[0]'],
    ['label=novalue', 'query.label[0]'],
    ['colour=red', 'query'],
    ['createdAfter=yesterday', 'query.createdAfter'],
  ])('400 for a list with %s', async (query, field) => {
    const response = await user.http.get(`/v1/jobs?${query}`).expect(400);
    expect(response.body.faults[0].field).toBe(field);
  });

  it.each(['nonsense', `job_${'z'.repeat(27)}`, 'job_..%2f..%2fetc'])('400 for the job id %s', async (id) => {
    expect((await user.http.get(`/v1/jobs/${id}`).expect(400)).body.faults[0].field).toBe('id');
  });

  it('404 for a job and a path that are not there', async () => {
    expect((await user.http.get(`/v1/jobs/job_${'0'.repeat(26)}`).expect(404)).body.code).toBe('not_found');
    expect((await user.http.get('/v1/nothing').expect(404)).body.code).toBe('not_found');
  });
});

describe('submitting', () => {
  it('202 with the job, where it is, and its version as ETag', async () => {
    const response = await user.http
      .post('/v1/jobs')
      .send({ ...command, name: 'first', labels: { a: 'b' } })
      .expect(202);
    expect(response.headers.location).toBe(`/v1/jobs/${response.body.id}`);
    expect(response.headers.etag).toBe('W/"1"');
    expect(response.body).toMatchObject({
      name: 'first',
      state: 'accepted',
      finished: false,
      labels: { a: 'b' },
      account: 'nobody',
    });
  });

  it('304 where nothing has changed', async () => {
    const { body } = await user.http.post('/v1/jobs').send(command).expect(202);
    await user.http.get(`/v1/jobs/${body.id}`).set('If-None-Match', 'W/"1"').expect(304);
    await user.http.get(`/v1/jobs/${body.id}`).set('If-None-Match', 'W/"0"').expect(200);
  });

  it('the same key and request give the same job; another request with it is 409', async () => {
    const send = (body: object) => user.http.post('/v1/jobs').set('Idempotency-Key', 'once').send(body);
    const bodies = await Promise.all(
      Array.from({ length: 8 }, () => send({ ...command, labels: { x: '1', y: '2' } }).expect(202)),
    );
    expect(new Set(bodies.map(({ body }) => body.id as string)).size).toBe(1);
    await send({ labels: { y: '2', x: '1' }, ...command }).expect(202);
    expect((await send({ command: ['false'] }).expect(409)).body.code).toBe('idempotency_key_reused');
    const other = await api.signIn('user');
    const { body } = await other.http
      .post('/v1/jobs')
      .set('Idempotency-Key', 'once')
      .send(command)
      .expect(202);
    expect(body.id).not.toBe(bodies[0]?.body.id);
  });

  it('400 for a key with spaces', async () => {
    const response = await user.http.post('/v1/jobs').set('Idempotency-Key', 'a b').send(command).expect(400);
    expect(response.body.faults[0].field).toBe('header Idempotency-Key');
  });

  it("what the script's #SBATCH lines say counts where the request says nothing", async () => {
    const script =
      '#!/bin/bash\n#SBATCH -N 2 --time=5 # comment\n#SBATCH --job-name="from script"\necho\n#SBATCH --nodes=9\n';
    const { body } = await user.http.post('/v1/jobs').send({ script, timeLimit: '1h' }).expect(202);
    expect(body).toMatchObject({ name: 'from script', request: { nodes: 2, timeLimit: '1h' } });
  });

  it('the script is there to the letter, with every value quoted', async () => {
    const { body } = await user.http
      .post('/v1/jobs')
      .send({ command: ['echo', 'it\'s $(id) `id` "x"\n;'], env: { A: "'; touch /tmp/x" } })
      .expect(202);
    const { text } = await user.http.get(`/v1/jobs/${body.id}/script`).expect(200);
    expect(text).toContain(`'it'\\''s $(id) \`id\` "x"\n;'`);
    expect(text).toContain(`'A='\\''; touch /tmp/x'`);
    expect(text).toContain(`#SBATCH --comment=${body.id}`);
  });
});

describe('reading', () => {
  it('pages newest first, by owner, state, name and label', async () => {
    const someone = await api.signIn('user');
    for (let index = 0; index < 5; index += 1) {
      await someone.http
        .post('/v1/jobs')
        .send({ ...command, name: `n${index}`, labels: { parity: String(index % 2) } })
        .expect(202);
    }
    const first = await someone.http.get('/v1/jobs?limit=2').expect(200);
    const second = await someone.http.get(`/v1/jobs?limit=2&cursor=${first.body.next}`).expect(200);
    const third = await someone.http.get(`/v1/jobs?limit=2&cursor=${second.body.next}`).expect(200);
    const names = [first, second, third].flatMap(({ body }) =>
      body.items.map((job: { name: string }) => job.name),
    );
    expect(names).toEqual(['n4', 'n3', 'n2', 'n1', 'n0']);
    expect(third.body.next).toBeNull();
    const namesOf = async (query: string) =>
      (await someone.http.get(`/v1/jobs?${query}`).expect(200)).body.items.map(
        (job: { name: string }) => job.name,
      );
    expect(await namesOf('label=parity=1')).toEqual(['n3', 'n1']);
    expect(await namesOf('name=n2')).toEqual(['n2']);
    expect(await namesOf('state=accepted&state=staging&limit=1')).toEqual(['n4']);
    expect(await namesOf('state=completed')).toEqual([]);
  });

  it('holds the answer until the job is finished, and no longer than asked', async () => {
    const { body } = await user.http.post('/v1/jobs').send(command).expect(202);
    const startedAt = Date.now();
    const late = await user.http.get(`/v1/jobs/${body.id}?wait=1s`).expect(200);
    expect(late.body.finished).toBe(false);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1000);
    const waiting = user.http
      .get(`/v1/jobs/${body.id}?wait=30s`)
      .expect(200)
      .then(({ body: answer }) => answer);
    const job = await api.platform.jobs.find(body.id);
    if (job === undefined) throw new Error('the job is not there');
    await api.platform.jobs.change(job, { state: 'cancelled', lookAt: null }, new Date());
    expect(await waiting).toMatchObject({ state: 'cancelled', finished: true });
    expect((await user.http.get(`/v1/jobs/${body.id}?wait=90s`).expect(400)).body.faults[0].field).toBe(
      'query.wait',
    );
  });

  it('cancelling twice is cancelling once; a job that has ended is 409', async () => {
    const { body } = await user.http.post('/v1/jobs').send(command).expect(202);
    const first = await user.http.post(`/v1/jobs/${body.id}/cancel`).expect(202);
    const second = await user.http.post(`/v1/jobs/${body.id}/cancel`).expect(202);
    expect(second.body.cancelRequestedAt).toBe(first.body.cancelRequestedAt);
    const job = await api.platform.jobs.find(body.id);
    if (job === undefined) throw new Error('the job is not there');
    await api.platform.jobs.change(
      job,
      { state: 'failed', cancelRequestedAt: null, lookAt: null },
      new Date(),
    );
    expect((await user.http.post(`/v1/jobs/${body.id}/cancel`).expect(409)).body.code).toBe('job_finished');
  });

  it('events are told in order, and go on behind the last one that was seen', async () => {
    const { body } = await user.http.post('/v1/jobs').send(command).expect(202);
    await user.http.post(`/v1/jobs/${body.id}/cancel`).expect(202);
    const all = await user.http.get(`/v1/jobs/${body.id}/events`).expect(200);
    expect(all.body.items.map(({ type }: { type: string }) => type)).toEqual(['state', 'cancel_requested']);
    const job = await api.platform.jobs.find(body.id);
    if (job === undefined) throw new Error('the job is not there');
    await api.platform.jobs.change(job, { state: 'cancelled', lookAt: null }, new Date());
    const stream = await user.http
      .get(`/v1/jobs/${body.id}/events`)
      .set('Accept', 'text/event-stream')
      .set('Last-Event-ID', String(all.body.items[1].seq))
      .expect(200);
    expect(stream.text.match(/^event: .*$/gm)).toEqual(['event: state', 'event: end']);
    expect(stream.text).toContain('event: end\ndata: {"state":"cancelled"}');
  });

  it('503 for partitions while Slurm has never answered', async () => {
    const response = await user.http.get('/v1/partitions').expect(503);
    expect(response.body.code).toBe('not_ready');
    expect(response.headers['retry-after']).toBe('2');
  });
});
