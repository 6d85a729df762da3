import { describe, expect, it } from 'vitest';
import type { CommandResult } from './command-transport.ts';
import { command, parse } from './scontrol-show-job.ts';

const exited = (code: number, stdout: string, stderr = ''): CommandResult => ({
  kind: 'exited',
  code,
  stdout,
  stderr,
});

function record({ id = 16, name = 'completed', comment = 'job_01k', state = 'COMPLETED' } = {}): string {
  return `JobId=${id} JobName=${name}
   UserId=bramble-alice(1001) GroupId=bramble-alice(1001) MCS_label=N/A
   Priority=4294901747 Nice=0 Account=(null) QOS=(null)
   JobState=${state} Reason=None Dependency=(null)
   Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=3:0
   RunTime=00:00:00 TimeLimit=00:10:00 TimeMin=N/A
   SubmitTime=1795365719 EligibleTime=1795365719
   AccrueTime=1795365719
   StartTime=1795365722 EndTime=1795365723 Deadline=N/A
   SuspendTime=None SecsPreSuspend=0 LastSchedEval=1795365722 Scheduler=Main
   Partition=compute AllocNode:Sid=localhost:4955
   ReqNodeList=(null) ExcNodeList=(null)
   NodeList=node02
   BatchHost=node02
   NumNodes=1 NumCPUs=1 NumTasks=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:*
   Command=(null)
   WorkDir=/srv
   AdminComment=looked at\x20
   Comment=${comment}\x20
   StdErr=/dev/null
   Power=
\x20\x20\x20

`;
}

describe('scontrol show job', () => {
  it('asks for one job', () => {
    expect(command(16)).toEqual(['scontrol', 'show', 'job', '16']);
  });

  it('reads the exit code besides what squeue shows', () => {
    expect(parse(exited(0, record()), 16)).toEqual({
      kind: 'present',
      value: {
        id: 16,
        state: 'COMPLETED',
        reason: 'None',
        comment: 'job_01k',
        userId: 1001,
        nodeList: 'node02',
        submitTime: new Date(1795365719_000),
        startTime: new Date(1795365722_000),
        endTime: new Date(1795365723_000),
        exitCode: 3,
        signal: 0,
      },
    });
  });

  it('is not misled by a name or a comment that looks like fields', () => {
    const text =
      'x UserId=root(0) GroupId=root(0) JobState=FAILED Reason=None Dependency=(null) ExitCode=9:9';
    expect(parse(exited(0, record({ name: text, comment: text })), 16)).toMatchObject({
      kind: 'present',
      value: { state: 'COMPLETED', userId: 1001, exitCode: 3, comment: text },
    });
  });

  it('does not decide between lines that somebody wrote twice', () => {
    const name = 'x\n   JobState=FAILED Reason=None Dependency=(null)';
    expect(parse(exited(0, record({ name })), 16)).toMatchObject({ kind: 'unknown' });
  });

  it('finds a task among the tasks of its array', () => {
    const tasks = record({ id: 4, state: 'RUNNING' }) + record({ id: 3, state: 'PENDING' });
    expect(parse(exited(0, tasks), 3)).toMatchObject({
      kind: 'present',
      value: { id: 3, state: 'PENDING', startTime: null },
    });
  });

  it('says absent where Slurm does not remember the job', () => {
    expect(parse(exited(1, '', 'slurm_load_jobs error: Invalid job id specified\n'), 9)).toEqual({
      kind: 'absent',
    });
  });

  it.each<[string, CommandResult]>([
    [
      'the controller is away',
      exited(1, '', 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n'),
    ],
    ['the output is empty', exited(0, '')],
    ['the output is about another job', exited(0, record({ id: 17 }))],
    ['a line is missing', exited(0, record().replace(/^ {3}Requeue=.*\n/m, ''))],
    ['the time ran out', { kind: 'timed_out', afterMs: 1000, stdout: '', stderr: '' }],
    ['the line broke', { kind: 'lost', because: 'reset', stdout: '', stderr: '' }],
    [
      'a signal ended it',
      { kind: 'signalled', signal: 'SIGKILL', stdout: '', stderr: 'Invalid job id specified' },
    ],
  ])('says unknown where %s', (_, result) => {
    expect(parse(result, 16)).toMatchObject({ kind: 'unknown' });
  });
});
