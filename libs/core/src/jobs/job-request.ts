import { z } from 'zod';
import { durationSchema } from '../vocabulary/duration.ts';
import { labelsSchema } from '../vocabulary/labels.ts';
import { memorySchema } from '../vocabulary/memory.ts';
import { multilineText, relativePath, slurmName } from '../vocabulary/text.ts';

/** Bytes of inline text in one request; larger files are uploaded as artifacts first. */
export const MAX_INLINE_CHARACTERS = 512 * 1024;

const fileMode = z
  .string()
  .regex(/^0[0-7]{3}$/, 'must be an octal mode such as "0644" or "0755"')
  .describe('Permissions of the file, octal; no set-uid, set-gid or sticky bit.');

const artifactId = z.string().regex(/^art_[0-9a-z]{26}$/, 'must be the id of an uploaded artifact');

export const jobInputSchema = z
  .strictObject({
    path: relativePath.describe('Where the file stands, relative to the run directory.'),
    artifact: artifactId.optional().describe('The uploaded artifact to put there.'),
    content: multilineText(MAX_INLINE_CHARACTERS)
      .optional()
      .describe('The text to put there, for small files.'),
    mode: fileMode.default('0644'),
  })
  .superRefine((input, context) => {
    if ((input.artifact === undefined) === (input.content === undefined)) {
      context.addIssue({ code: 'custom', message: 'must have exactly one of "artifact" and "content"' });
    }
    if (input.path.split('/')[0] === CONTROL_DIRECTORY) {
      context.addIssue({
        code: 'custom',
        path: ['path'],
        message: `must not be below "${CONTROL_DIRECTORY}"`,
      });
    }
  })
  .meta({ id: 'JobInput' });

/** Where Bramble keeps the claim, the exit record and the logs of a job, inside the run directory. */
export const CONTROL_DIRECTORY = '.bramble';

/** Compiler by the ending of the source file: Open MPI's wrappers for C, C++ and Fortran. */
export const MPI_COMPILERS = {
  c: 'mpicc',
  cc: 'mpicxx',
  cpp: 'mpicxx',
  cxx: 'mpicxx',
  f: 'mpifort',
  f90: 'mpifort',
  f95: 'mpifort',
  f03: 'mpifort',
  f08: 'mpifort',
} as const;

const sourceName = z
  .string()
  .max(128)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.(c|cc|cpp|cxx|f|f90|f95|f03|f08)$/,
    'must be a file name ending in .c, .cc, .cpp, .cxx, .f, .f90, .f95, .f03 or .f08',
  );

const argument = multilineText(32 * 1024);

export const mpiSchema = z
  .strictObject({
    source: z
      .strictObject({
        name: sourceName.describe('File name; its ending chooses mpicc, mpicxx or mpifort.'),
        content: multilineText(MAX_INLINE_CHARACTERS).optional().describe('The program text.'),
        artifact: artifactId.optional().describe('The uploaded artifact that holds the program text.'),
      })
      .refine(
        (source) => (source.content === undefined) !== (source.artifact === undefined),
        'must have exactly one of "content" and "artifact"',
      )
      .optional()
      .describe('A C, C++ or Fortran source, compiled inside the allocation before the program starts.'),
    program: argument
      .min(1)
      .optional()
      .describe('A program that the nodes already have, or a path relative to the run directory.'),
    args: z.array(argument).max(1000).default([]).describe('Arguments of the program.'),
    compilerFlags: z
      .array(
        z
          .string()
          .max(256)
          .regex(
            /^-[A-Za-z0-9_+=.,:/@%-]+$/,
            'must be a compiler flag that starts with "-", without white space',
          ),
      )
      .max(100)
      .default(['-O2'])
      .describe('Flags of the compiler.'),
    launcher: z
      .enum(['mpirun', 'srun'])
      .default('mpirun')
      .describe("`mpirun` works with Debian's Open MPI everywhere; `srun` needs PMIx on every node."),
  })
  .refine(
    (mpi) => (mpi.source === undefined) !== (mpi.program === undefined),
    'must have exactly one of "source" and "program"',
  )
  .meta({ id: 'MpiProgram' });

const count = (maximum: number) => z.int().min(1).max(maximum);

/** The resources of an allocation, in Slurm's own terms. Every field may be left to Slurm's default. */
export const jobResourcesShape = {
  nodes: count(10_000).optional().describe('Nodes of the allocation (`--nodes`).'),
  tasks: count(1_000_000).optional().describe('Tasks (MPI ranks) in all (`--ntasks`).'),
  tasksPerNode: count(10_000).optional().describe('Tasks on each node (`--ntasks-per-node`).'),
  cpusPerTask: count(10_000).optional().describe('CPUs for each task (`--cpus-per-task`).'),
  memory: memorySchema.optional().describe('Memory on each node (`--mem`): `512M`, `2G`.'),
  timeLimit: durationSchema
    .optional()
    .describe(
      'Wall-clock limit (`--time`): `90s`, `2h`, `D-HH:MM:SS`. Slurm counts whole minutes, rounded up.',
    ),
  partition: slurmName.optional().describe("Partition (`--partition`); Slurm's default where left out."),
  constraint: z
    .string()
    .max(256)
    .regex(/^[A-Za-z0-9_.&|*:()[\],-]+$/, 'must be features joined with "&" or "|", such as "rpi4&arm64"')
    .optional()
    .describe('Features that the nodes must have (`--constraint`), such as `rpi4&arm64`.'),
  account: slurmName.optional().describe('Slurm account to charge (`--account`).'),
  qos: slurmName.optional().describe('Quality of service (`--qos`).'),
  exclusive: z.boolean().default(false).describe('No other job on the nodes (`--exclusive`).'),
};

const environmentName = z
  .string()
  .max(256)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and "_", not starting with a digit')
  .refine((name) => !/^(SLURM|BRAMBLE)_/.test(name), 'must not start with "SLURM_" or "BRAMBLE_"');

const outputPattern = relativePath
  .refine((pattern) => pattern.length <= 256, 'must have at most 256 characters')
  .describe('A glob below the run directory, such as `*.csv` or `results/**`.');

export const jobNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9 ._+=:@-]{0,127}$/,
    'must be 1 to 128 letters, digits, spaces or any of ._+=:@- and start with a letter, a digit or "_"',
  );

/** What a user asks for: a batch script, a command or an MPI program, and the resources to run it with. */
export const jobRequestSchema = z
  .strictObject({
    name: jobNameSchema.optional().describe('A name for people; the same name may be used again.'),
    script: multilineText(MAX_INLINE_CHARACTERS)
      .min(1)
      .refine(
        (text) => text.startsWith('#!'),
        'must start with "#!" and the interpreter, such as "#!/bin/bash"',
      )
      .refine((text) => !text.includes('\r'), 'must have Unix line ends (LF), not CR LF')
      .optional()
      .describe('A batch script. Its `#SBATCH` lines count where the request leaves a field out.'),
    command: z
      .array(argument)
      .min(1)
      .max(1000)
      .refine(([program]) => program !== '', 'must name a program')
      .optional()
      .describe('A program and its arguments, run once on the first node. No shell reads it.'),
    mpi: mpiSchema.optional(),
    ...jobResourcesShape,
    env: z
      .record(environmentName, multilineText(32 * 1024))
      .refine((env) => Object.keys(env).length <= 500, 'must have at most 500 variables')
      .default({})
      .describe('Environment variables of the job.'),
    inputs: z.array(jobInputSchema).max(1000).default([]).describe('Files to put into the run directory.'),
    outputs: z
      .array(outputPattern)
      .max(100)
      .default([])
      .describe('Which files count as outputs after the end.'),
    labels: labelsSchema.describe('Labels to find jobs by.'),
  })
  .superRefine((request, context) => {
    const given = (['script', 'command', 'mpi'] as const).filter((kind) => request[kind] !== undefined);
    if (given.length !== 1) {
      context.addIssue({
        code: 'custom',
        message: `must have exactly one of "script", "command" and "mpi", not ${given.length === 0 ? 'none' : given.join(' and ')}`,
      });
    }
    const source = request.mpi?.source?.name;
    const files = new Set(source === undefined ? [] : [source]);
    const refuse = (index: number, message: string) =>
      context.addIssue({ code: 'custom', path: ['inputs', index, 'path'], message });
    request.inputs.forEach(({ path }, index) => {
      if (files.has(path)) refuse(index, `is named twice: "${path}"`);
      files.add(path);
    });
    request.inputs.forEach(({ path }, index) => {
      const file = directoriesOf(path).find((directory) => files.has(directory));
      if (file !== undefined) refuse(index, `is below "${file}", which is a file`);
    });
  })
  .meta({ id: 'JobRequest' });

/** `a` and `a/b` of `a/b/c`. */
const directoriesOf = (path: string): string[] =>
  [...path.matchAll(/\//g)].map((slash) => path.slice(0, slash.index));

export type JobRequest = z.output<typeof jobRequestSchema>;
export type JobRequestBody = z.input<typeof jobRequestSchema>;
export type JobInput = z.output<typeof jobInputSchema>;
