import { describe, expect, it } from 'vitest';
import { ConflictError, type Job, JobFailedError, TimeoutError, UnsafePathError } from '../index.ts';
import { completedJob, failedJob, JOB_ID, jobResource } from '../testing/job-resource.ts';
import { type Answer, answerJson, answerProblem, clientOf, localServer } from '../testing/local-server.ts';

async function jobOn(
  answer: Answer,
): Promise<{ job: Job; requests: Awaited<ReturnType<typeof localServer>>['requests'] }> {
  const server = await localServer((request, response, count) =>
    count === 0 ? answerJson(response, jobResource()) : answer(request, response, count - 1),
  );
  return { job: await clientOf(server).jobs.get(JOB_ID), requests: server.requests };
}

describe('wait', () => {
  it('polls long until the job has completed', async () => {
    const { job, requests } = await jobOn((_, response, count) =>
      answerJson(response, count === 0 ? jobResource({ state: 'running' }) : completedJob()),
    );
    const done = await job.wait();
    expect(done).toBe(job);
    expect(done.state).toBe('completed');
    expect(Object.fromEntries(requests[1]?.query ?? [])).toEqual({ wait: '30s', until: 'finished' });
    expect(requests).toHaveLength(3);
  });

  it('is content with a running job where that was waited for', async () => {
    const { job, requests } = await jobOn((_, response) =>
      answerJson(response, jobResource({ state: 'running' })),
    );
    expect((await job.wait({ until: 'running' })).state).toBe('running');
    expect(requests[1]?.query.get('until')).toBe('running');
  });

  it('asks nothing where the job has ended already', async () => {
    const server = await localServer((_, response) => answerJson(response, completedJob()));
    await (await clientOf(server).jobs.get(JOB_ID)).wait();
    expect(server.requests).toHaveLength(1);
  });

  it('holds through a restart of the API', async () => {
    const { job } = await jobOn((_, response, count) => {
      if (count < 6) response.destroy();
      else answerJson(response, completedJob());
    });
    expect((await job.wait()).finished).toBe(true);
  });

  it.each(['running', 'finished'] as const)(
    'throws JobFailedError with all that is known (until %s)',
    async (until) => {
      const reason = { code: 'NonZeroExitCode', message: 'The program ended with exit code 3.' };
      const { job } = await jobOn((_, response) => answerJson(response, failedJob({ reason })));
      const error = await job.wait({ until }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(JobFailedError);
      expect(error).toMatchObject({
        code: 'job_failed',
        state: 'failed',
        exitCode: 3,
        signal: null,
        reason,
        lastLines: 'no such mesh',
        job,
      });
      expect((error as Error).message).toBe(
        `Job ${JOB_ID} (pi) is failed, exit code 3: The program ended with exit code 3.\nno such mesh`,
      );
    },
  );

  it('throws JobFailedError for a job that was cancelled or ran out of time', async () => {
    for (const state of ['cancelled', 'timed_out', 'out_of_memory', 'node_failed'] as const) {
      const { job } = await jobOn((_, response) =>
        answerJson(response, failedJob({ state, exitCode: null, signal: 15, lastLines: null })),
      );
      await expect(job.wait()).rejects.toMatchObject({
        name: 'JobFailedError',
        state,
        signal: 15,
        lastLines: '',
      });
    }
  });

  it('throws TimeoutError where the time is over, and leaves the job alone', async () => {
    const { job, requests } = await jobOn(() => {});
    await expect(job.wait({ timeoutMs: 60 })).rejects.toThrow(TimeoutError);
    expect(requests.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });

  it('shows the job as it was last seen, where it gives up', async () => {
    const { job } = await jobOn((_, response, count) => {
      if (count === 0) answerJson(response, jobResource({ state: 'running' }));
    });
    await expect(job.wait({ timeoutMs: 100 })).rejects.toThrow(TimeoutError);
    expect(job.state).toBe('running');
  });

  it('rejects with the reason of the signal', async () => {
    const { job } = await jobOn(() => {});
    const reason = new Error('enough');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 30);
    await expect(job.wait({ signal: controller.signal, timeoutMs: 5000 })).rejects.toBe(reason);
  });
});

describe('a job', () => {
  it('tells what was last heard of it', async () => {
    const startedAt = '2031-04-05T06:07:09.000Z';
    const { job } = await jobOn((_, response) =>
      answerJson(response, jobResource({ state: 'running', startedAt })),
    );
    expect(job.startedAt).toBeNull();
    await job.refresh();
    expect(job.state).toBe('running');
    expect(job.startedAt).toEqual(new Date(startedAt));
    expect(JSON.parse(JSON.stringify(job))).toEqual(job.data);
  });

  it('is cancelled with a POST', async () => {
    const cancelRequestedAt = '2031-04-05T06:07:09.000Z';
    const { job, requests } = await jobOn((_, response) =>
      answerJson(response, jobResource({ cancelRequestedAt }), 202),
    );
    expect((await job.cancel()).data.cancelRequestedAt).toBe(cancelRequestedAt);
    expect(requests[1]).toMatchObject({ method: 'POST', path: `/v1/jobs/${JOB_ID}/cancel` });
  });

  it('cannot be cancelled when it has ended', async () => {
    const { job } = await jobOn((_, response) => answerProblem(response, 409, 'job_finished'));
    await expect(job.cancel()).rejects.toBeInstanceOf(ConflictError);
  });

  it('has a script, and files that are read by path', async () => {
    const { job, requests } = await jobOn((request, response) => {
      if (request.path.endsWith('/files')) {
        answerJson(response, { items: [], truncated: false });
        return;
      }
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      return void response.end('#!/bin/bash\n');
    });
    expect(await job.script()).toBe('#!/bin/bash\n');
    expect(await job.files({ path: 'results', recursive: true })).toEqual({ items: [], truncated: false });
    await job.file('results/a b#1.csv').text();
    expect(requests.slice(1).map(({ path, query }) => `${path}?${query.toString()}`)).toEqual([
      `/v1/jobs/${JOB_ID}/script?`,
      `/v1/jobs/${JOB_ID}/files?path=results&recursive=true`,
      `/v1/jobs/${JOB_ID}/files/results/a%20b%231.csv?`,
    ]);
  });

  it('reads no file by a path that would name something else', async () => {
    const { job } = await jobOn(() => {});
    for (const path of ['../other', '/etc/passwd', 'a//b', '.', '']) {
      expect(() => job.file(path)).toThrow(UnsafePathError);
    }
  });
});
