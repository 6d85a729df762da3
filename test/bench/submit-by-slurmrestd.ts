import type { SlurmLab, Slurmrestd } from '../lab/slurm-lab.ts';

interface SubmitAnswer {
  job_id?: number;
  errors?: unknown[];
}

/** @returns a function that submits as the lab's first account */
export async function slurmrestdSubmitter(
  lab: SlurmLab,
  slurmrestd: Slurmrestd,
  job: { script: string; partition: string },
): Promise<() => Promise<number>> {
  const user = lab.accounts.first;
  const headers = {
    'Content-Type': 'application/json',
    'X-SLURM-USER-NAME': user,
    'X-SLURM-USER-TOKEN': await slurmrestd.token(user),
  };
  const body = JSON.stringify({
    script: job.script,
    job: {
      name: 'bench',
      partition: job.partition,
      current_working_directory: '/',
      standard_output: '/dev/null',
      environment: { PATH: '/usr/bin:/bin' },
    },
  });
  return async () => {
    const response = await fetch(`${slurmrestd.url}/slurm/v0.0.38/job/submit`, {
      method: 'POST',
      headers,
      body,
    });
    const text = await response.text();
    const { job_id: id } = response.ok ? (JSON.parse(text) as SubmitAnswer) : {};
    if (id === undefined || id === 0) throw new Error(`slurmrestd answered ${response.status}: ${text}`);
    return id;
  };
}
