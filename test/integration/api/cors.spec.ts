import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApi, startApi } from './running-api.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await startApi({ BRAMBLE_CORS_ORIGINS: 'https://lab.example,http://localhost:5173' });
});
afterAll(() => api.close());

const preflight = (origin: string) =>
  api.anonymous
    .options('/v1/jobs')
    .set('Origin', origin)
    .set('Access-Control-Request-Method', 'POST')
    .set('Access-Control-Request-Headers', 'authorization,content-type,idempotency-key');

it.each(['https://lab.example', 'http://localhost:5173'])(
  'lets a page of %s call the api',
  async (origin) => {
    const { headers } = await preflight(origin).expect(204);
    expect(headers['access-control-allow-origin']).toBe(origin);
    expect(headers['access-control-allow-headers']).toContain('idempotency-key');
    const answer = await api.anonymous.get('/v1/jobs').set('Origin', origin).expect(401);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers['access-control-expose-headers']).toContain('ETag');
  },
);

it('lets no other page', async () => {
  const { headers } = await preflight('https://evil.example');
  expect(headers['access-control-allow-origin']).toBeUndefined();
});
