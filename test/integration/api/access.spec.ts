import { Controller, Get, Module } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClosedByDefault } from '#api/access/closed-by-default';
import { Requires } from '#api/access/requires';
import { type RunningApi, type SignedIn, startApi } from './running-api.ts';

let api: RunningApi;
let admin: SignedIn;
let user: SignedIn;
let viewer: SignedIn;

beforeAll(async () => {
  api = await startApi();
  [admin, user, viewer] = await Promise.all([api.signIn('admin'), api.signIn('user'), api.signIn('viewer')]);
});
afterAll(() => api.close());

const job = { command: ['true'] };

describe('signing in', () => {
  it.each([
    ['no key', undefined],
    ['no scheme', 'brk_abcdefghijkl_0123456789012345678901234567890123456789012'],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['no such key', `Bearer brk_abcdefghijkl_${'x'.repeat(43)}`],
    ['nonsense', 'Bearer nonsense'],
  ])('401 with %s', async (_, header) => {
    const request = api.anonymous.get('/v1/jobs');
    const response = await (header === undefined ? request : request.set('Authorization', header)).expect(
      401,
    );
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.body).toMatchObject({
      status: 401,
      code: 'unauthenticated',
      requestId: response.headers['x-request-id'],
    });
  });

  it('401 with the right prefix and another secret', async () => {
    const forged = user.key.slice(0, -4) + (user.key.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    await api.anonymous.get('/v1/jobs').set('Authorization', `Bearer ${forged}`).expect(401);
  });

  it('401 with a revoked key and with an expired one', async () => {
    const revoked = await admin.http
      .post('/v1/admin/keys')
      .send({ user: user.userId, label: 'to revoke' })
      .expect(201);
    await admin.http.delete(`/v1/admin/keys/${revoked.body.id}`).expect(204);
    await admin.http.delete(`/v1/admin/keys/${revoked.body.id}`).expect(204);
    await api.anonymous.get('/v1/jobs').set('Authorization', `Bearer ${revoked.body.key}`).expect(401);
    const expired = await admin.http
      .post('/v1/admin/keys')
      .send({ user: user.userId, label: 'late', expiresAt: '2020-01-01T00:00:00Z' })
      .expect(201);
    await api.anonymous.get('/v1/jobs').set('Authorization', `Bearer ${expired.body.key}`).expect(401);
  });

  it('keeps no key: only its prefix is ever shown again', async () => {
    const { body } = await admin.http.get('/v1/admin/keys').expect(200);
    expect(JSON.stringify(body)).not.toContain(user.key.split('_').at(-1));
    expect(body.items.map((key: { prefix: string }) => key.prefix)).toContain(user.key.split('_')[1]);
  });
});

describe('roles and scopes', () => {
  it('403 names the permission that is missing', async () => {
    const response = await viewer.http.post('/v1/jobs').send(job).expect(403);
    expect(response.body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('jobs:write') });
    await user.http.get('/v1/admin/users').expect(403);
    await user.http.post('/v1/admin/keys').send({ user: user.userId, label: 'mine' }).expect(403);
  });

  it('a key has no more than its scopes, whatever its role', async () => {
    const reader = await api.signIn('admin', { scopes: ['jobs:read'] });
    await reader.http.get('/v1/jobs').expect(200);
    await reader.http.post('/v1/jobs').send(job).expect(403);
    await reader.http.get('/v1/admin/users').expect(403);
  });

  it('a job of somebody else is 404 on every route, and visible to operators', async () => {
    const { body } = await user.http.post('/v1/jobs').send(job).expect(202);
    const other = await api.signIn('user');
    for (const path of ['', '/script', '/logs', '/events', '/files', '/outputs', '/files/x.txt']) {
      const response = await other.http.get(`/v1/jobs/${body.id}${path}`).expect(404);
      expect(response.body.code).toBe('not_found');
    }
    await other.http.post(`/v1/jobs/${body.id}/cancel`).expect(404);
    expect((await other.http.get('/v1/jobs').expect(200)).body.items).toEqual([]);
    expect((await other.http.get(`/v1/jobs?owner=${user.userId}`).expect(200)).body.items).toEqual([]);
    const operator = await api.signIn('operator');
    await operator.http.get(`/v1/jobs/${body.id}`).expect(200);
    expect((await operator.http.get('/v1/jobs').expect(200)).body.items.length).toBeGreaterThan(0);
  });

  it('health, metrics and the document need no key', async () => {
    await api.anonymous.get('/healthz').expect(200, { status: 'ok' });
    await api.anonymous.get('/readyz').expect(200);
    expect((await api.anonymous.get('/metrics').expect(200)).text).toContain('bramble_jobs{state="accepted"');
    await api.anonymous.get('/openapi.json').expect(200);
    await api.anonymous.get('/docs').expect(200);
  });
});

describe('users and their accounts', () => {
  it.each(['root', 'Root User', 'a b', '../x', 'x;id', ''])('400 for the account "%s"', async (account) => {
    const response = await admin.http
      .post('/v1/admin/users')
      .send({ name: 'someone', role: 'user', account })
      .expect(400);
    expect(response.body.faults[0].field).toBe('account');
  });

  it('409 for a name that is taken', async () => {
    await admin.http.post('/v1/admin/users').send({ name: 'carol', role: 'user' }).expect(201);
    const response = await admin.http
      .post('/v1/admin/users')
      .send({ name: 'carol', role: 'user' })
      .expect(409);
    expect(response.body).toMatchObject({ code: 'name_taken', faults: [{ field: 'name' }] });
  });

  it('422 for a job of a user without an account, and of one whose account was refused', async () => {
    const without = await api.signIn('user', { account: null });
    expect((await without.http.post('/v1/jobs').send(job).expect(422)).body.code).toBe('account_missing');
    const refused = await api.signIn('user', { account: 'daemon' });
    await api.platform.access.recordAccount(refused.userId, 'refused', {
      message: 'belongs to a service',
      uid: 1,
      at: new Date(),
    });
    expect((await refused.http.post('/v1/jobs').send(job).expect(422)).body).toMatchObject({
      code: 'account_refused',
      detail: 'belongs to a service',
    });
  });
});

describe('closed by default', () => {
  @Controller('open')
  class OpenController {
    @Get()
    @Requires('public')
    stated() {
      return 'fine';
    }

    @Get('forgotten')
    forgotten() {
      return 'not fine';
    }
  }

  @Module({ imports: [DiscoveryModule], controllers: [OpenController], providers: [ClosedByDefault] })
  class OpenModule {}

  it('a route that states no permission stops the start, by name', async () => {
    const app = await NestFactory.create(OpenModule, { logger: false, abortOnError: false });
    await expect(app.init()).rejects.toThrow('OpenController.forgotten');
    await app.close();
  });
});
