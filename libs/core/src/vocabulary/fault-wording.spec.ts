import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jobRequestSchema } from '../jobs/job-request.ts';
import { pageQuery } from './page.ts';
import { fieldPath } from './field-path.ts';
import { useFaultWording } from './fault-wording.ts';

const before = z.config();
beforeAll(useFaultWording);
afterAll(() => {
  z.config(before);
});

const faultsOf = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ path, message }) => `${fieldPath(path)} ${message}`.trim());

describe('what is said of a request', () => {
  it.each<[body: unknown, fault: string]>([
    [{ command: ['a'], nodes: 'x' }, 'nodes must be a number'],
    [{ command: ['a'], nodes: 1.5 }, 'nodes must be a whole number'],
    [{ command: ['a'], nodes: 0 }, 'nodes must be at least 1'],
    [{ command: ['a'], nodes: 10_001 }, 'nodes must be at most 10000'],
    [{ command: 'a' }, 'command must be a list'],
    [{ command: [] }, 'command must not be empty'],
    [{ command: ['a'], env: { X: 'x'.repeat(32 * 1024 + 1) } }, 'env.X must have at most 32768 characters'],
    [{ command: ['a'], env: { X: 1 } }, 'env.X must be a text'],
    [
      { command: ['a'], env: { '1': 'x' } },
      'env.1 is no name that is allowed here: it must be letters, digits and "_", not starting with a digit',
    ],
    [{ command: ['a'], exclusive: 'yes' }, 'exclusive must be true or false'],
    [{ command: ['a'], nodez: 4 }, 'must not have "nodez": there is no such field'],
    [{ mpi: { program: 'a', launcher: 'sh' } }, 'mpi.launcher must be one of "mpirun", "srun"'],
    [{ command: ['a'], inputs: [{ content: '' }] }, 'inputs[0].path is missing'],
    [[], 'must be an object'],
  ])('%j', (body, fault) => {
    expect(faultsOf(jobRequestSchema, body)).toContain(fault);
  });

  it('is the same of a query', () => {
    expect(faultsOf(z.object(pageQuery), { limit: '1000' })).toEqual(['limit must be at most 500']);
    expect(faultsOf(z.object(pageQuery), { limit: 'x' })).toEqual(['limit must be a number']);
    expect(faultsOf(z.object({ at: z.iso.datetime() }), { at: 'today' })).toEqual([
      'at must be a time in UTC, such as "2026-03-01T12:00:00Z"',
    ]);
  });
});
