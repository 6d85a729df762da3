import { createHash } from 'node:crypto';
import { appendFile, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApi, type SignedIn, startApi } from './running-api.ts';

let api: RunningApi;
let user: SignedIn;

beforeAll(async () => {
  api = await startApi({ BRAMBLE_MAX_UPLOAD_BYTES: String(4 * 1024 * 1024) });
  user = await api.signIn('user');
});
afterAll(() => api.close());

/** A job with its run directory, as if a worker had staged it. */
async function stagedJob(): Promise<{ id: string; directory: string }> {
  const { body } = await user.http
    .post('/v1/jobs')
    .send({ command: ['true'] })
    .expect(202);
  const id = body.id as string;
  await api.platform.storage.runs.stage(id, [], { name: 'root', uid: 0, gid: 0, home: '/root' });
  return { id, directory: join(api.storage, 'runs', id) };
}

async function end(id: string): Promise<void> {
  const job = await api.platform.jobs.find(id);
  if (job === undefined) throw new Error('the job is not there');
  await api.platform.jobs.change(job, { state: 'completed', lookAt: null }, new Date());
}

const logUrl = (id: string, query = '') => `/v1/jobs/${id}/logs${query}`;
const events = (text: string) =>
  [...text.matchAll(/^id: (\d+)\nevent: log\ndata: (.*)$/gm)].map(([, offset, data]) => ({
    id: Number(offset),
    ...(JSON.parse(data ?? '') as { offset: number; text: string }),
  }));

describe('files of the run directory', () => {
  it('are listed, without the control directory, and downloaded whole or by range', async () => {
    const { id, directory } = await stagedJob();
    await mkdir(join(directory, 'sub dir'));
    await writeFile(join(directory, 'sub dir', 'ä #1.txt'), 'hello world');
    const list = await user.http.get(`/v1/jobs/${id}/files?recursive=true`).expect(200);
    expect(list.body.items.map(({ path, type }: { path: string; type: string }) => [path, type])).toEqual([
      ['sub dir', 'directory'],
      ['sub dir/ä #1.txt', 'file'],
    ]);
    const url = `/v1/jobs/${id}/files/sub%20dir/${encodeURIComponent('ä #1.txt')}`;
    const whole = await user.http.get(url).expect(200);
    expect(whole.body.toString()).toBe('hello world');
    expect(whole.headers['content-disposition']).toContain(encodeURIComponent('ä #1.txt'));
    const part = await user.http.get(url).set('Range', 'bytes=6-').expect(206);
    expect(part.body.toString()).toBe('world');
    expect(part.headers['content-range']).toBe('bytes 6-10/11');
    expect((await user.http.get(url).set('Range', 'bytes=-5').expect(206)).body.toString()).toBe('world');
    const beyond = await user.http.get(url).set('Range', 'bytes=99-').expect(416);
    expect(beyond.body.code).toBe('range_not_satisfiable');
    await user.http.get(url).set('Range', 'bytes=0-1').set('If-Range', '"another"').expect(200);
    const head = await user.http.head(url).expect(200);
    expect(head.headers['content-length']).toBe('11');
  });

  it('404 for what is not there, 409 for a directory, a symlink and what lies behind one', async () => {
    const { id, directory } = await stagedJob();
    await mkdir(join(directory, 'd'));
    await symlink('/etc/passwd', join(directory, 'link'));
    await symlink('/etc', join(directory, 'etc'));
    await user.http.get(`/v1/jobs/${id}/files/nothing`).expect(404);
    await user.http.get(`/v1/jobs/${id}/files/d`).expect(409);
    expect((await user.http.get(`/v1/jobs/${id}/files/link`).expect(409)).body.code).toBe(
      'not_a_regular_file',
    );
    const behind = await user.http.get(`/v1/jobs/${id}/files/etc/passwd`);
    expect([404, 409]).toContain(behind.status);
    expect(JSON.stringify(behind.body)).not.toContain('root:');
    const list = await user.http.get(`/v1/jobs/${id}/files?path=etc`);
    expect(list.status).toBe(404);
  });

  it.each([
    '..%2f..%2f..%2fetc%2fpasswd',
    '%2e%2e/%2e%2e/etc/passwd',
    'a%00b',
    'a%0ab',
    '%2fetc%2fpasswd',
    'a//b',
  ])('400 for the path %s', async (path) => {
    const { id } = await stagedJob();
    const { status, body } = await user.http.get(`/v1/jobs/${id}/files/${path}`);
    expect([400, 404]).toContain(status);
    expect(body.code).toMatch(/^(invalid_request|not_found)$/);
  });
});

describe('logs', () => {
  it('are empty before the job has one, and read by offset, tail and stream', async () => {
    const { body } = await user.http
      .post('/v1/jobs')
      .send({ command: ['true'] })
      .expect(202);
    expect((await user.http.get(logUrl(body.id)).expect(200)).text).toBe('');
    const { id, directory } = await stagedJob();
    await writeFile(join(directory, '.bramble', 'stdout.log'), 'one\ntwo\nthree\n');
    await writeFile(join(directory, '.bramble', 'stderr.log'), 'oh\n');
    const read = async (query: string) => (await user.http.get(logUrl(id, query)).expect(200)).text;
    expect(await read('')).toBe('one\ntwo\nthree\n');
    expect(await read('?offset=4')).toBe('two\nthree\n');
    expect(await read('?offset=400')).toBe('');
    expect(await read('?tail=2')).toBe('two\nthree\n');
    expect(await read('?tail=99')).toBe('one\ntwo\nthree\n');
    expect(await read('?stream=stderr')).toBe('oh\n');
    await user.http.get(logUrl(id, '?stream=stdin')).expect(400);
    await user.http.get(logUrl(id, '?offset=-1')).expect(400);
  });

  it('are followed as they grow, to the end of the job', async () => {
    const { id, directory } = await stagedJob();
    const log = join(directory, '.bramble', 'stdout.log');
    const following = user.http
      .get(logUrl(id, '?follow=true'))
      .expect(200)
      .then(({ text }) => text);
    for (const line of ['a\n', 'b\n', 'c\n']) {
      await appendFile(log, line);
      await sleep(60);
    }
    await appendFile(log, 'last');
    await end(id);
    expect(await following).toBe('a\nb\nc\nlast');
  });

  it('as events go on where the last one ended, with characters whole', async () => {
    const { id, directory } = await stagedJob();
    const text = 'grün '.repeat(40_000);
    await writeFile(join(directory, '.bramble', 'stdout.log'), text);
    await end(id);
    const read = async (lastEventId?: number) => {
      const request = user.http.get(logUrl(id, '?follow=true')).set('Accept', 'text/event-stream');
      const { text: body } = await (lastEventId === undefined
        ? request
        : request.set('Last-Event-ID', String(lastEventId)));
      expect(body).toContain('event: end\ndata: {"state":"completed"}');
      return events(body);
    };
    const all = await read();
    expect(all.length).toBeGreaterThan(2);
    expect(all.map((event) => event.text).join('')).toBe(text);
    const [first] = all;
    if (first === undefined) throw new Error('no events');
    const rest = await read(first.id);
    expect(first.text + rest.map((event) => event.text).join('')).toBe(text);
  });

  it('that were cut off by their program do not hold the reader up', async () => {
    const { id, directory } = await stagedJob();
    const log = join(directory, '.bramble', 'stdout.log');
    await writeFile(log, 'x'.repeat(1000));
    await truncate(log, 10);
    await end(id);
    expect((await user.http.get(logUrl(id, '?follow=true&offset=500')).expect(200)).text).toBe('');
  });
});

describe('artifacts', () => {
  const upload = (content: Buffer | string, name = 'data.bin') =>
    user.http
      .post(`/v1/artifacts?name=${encodeURIComponent(name)}`)
      .set('Content-Type', 'application/octet-stream')
      .send(content);

  it('are kept by content, and downloaded whole or by range', async () => {
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
    const sha256 = createHash('sha256').update(content).digest('hex');
    const { body, headers } = await upload(content).set('X-Content-SHA256', sha256).expect(201);
    expect(body).toMatchObject({ name: 'data.bin', size: content.length, sha256 });
    expect(headers.location).toBe(`/v1/artifacts/${body.id}`);
    const same = await upload(content).expect(201);
    expect(same.body).toEqual(body);
    const again = await upload(content, 'again.bin').expect(201);
    expect(again.body.sha256).toBe(sha256);
    expect(again.body.id).not.toBe(body.id);
    expect((await user.http.get(`/v1/artifacts/${body.id}/content`).expect(200)).body.equals(content)).toBe(
      true,
    );
    const range = await user.http
      .get(`/v1/artifacts/${body.id}/content`)
      .set('Range', 'bytes=10-19')
      .expect(206);
    expect(range.body.equals(content.subarray(10, 20))).toBe(true);
    expect((await user.http.get('/v1/artifacts').expect(200)).body.items.length).toBe(2);
  });

  it('422 where the content is not what was announced, 413 where it is too large, 415 for another type', async () => {
    expect((await upload('abc').set('X-Content-SHA256', '0'.repeat(64)).expect(422)).body.code).toBe(
      'digest_mismatch',
    );
    expect((await upload(Buffer.alloc(4 * 1024 * 1024 + 1)).expect(413)).body.code).toBe('payload_too_large');
    const json = await user.http.post('/v1/artifacts?name=x').send({ a: 1 }).expect(415);
    expect(json.body.code).toBe('unsupported_media_type');
    await upload('abc').set('X-Content-SHA256', 'xyz').expect(400);
  });

  it.each(['../x', 'a/b', '..', '', 'a\nb', 'a\0b'])('400 for the name %j', async (name) => {
    expect((await upload('abc', name).expect(400)).body.faults[0].field).toBe('query.name');
  });

  it('of somebody else are 404, for reading and as an input', async () => {
    const { body } = await upload('secret').expect(201);
    const other = await api.signIn('user');
    await other.http.get(`/v1/artifacts/${body.id}`).expect(404);
    await other.http.get(`/v1/artifacts/${body.id}/content`).expect(404);
    const job = { command: ['true'], inputs: [{ path: 'x', artifact: body.id }] };
    expect((await other.http.post('/v1/jobs').send(job).expect(400)).body.faults[0].field).toBe(
      'inputs[0].artifact',
    );
    await user.http.post('/v1/jobs').send(job).expect(202);
  });
});
