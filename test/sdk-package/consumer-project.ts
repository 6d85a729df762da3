import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CHECKOUT } from './packed-sdk.ts';

const run = promisify(execFile);

const TSC = join(CHECKOUT, 'node_modules/typescript/bin/tsc');
const PROGRAMS = join(import.meta.dirname, 'programs');

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A project of somebody else's, outside of the checkout, that has the packed SDK as its dependency. */
export class ConsumerProject {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Installs the SDK and what the programs need beside it, and puts the programs there. */
  static async create(
    directory: string,
    type: 'module' | 'commonjs',
    tarball: string,
  ): Promise<ConsumerProject> {
    mkdirSync(directory);
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, type }));
    const { devDependencies } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    const nodeTypes = `@types/node@${devDependencies['@types/node'] ?? ''}`;
    const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', ...quietly, tarball, nodeTypes], { cwd: directory });
    cpSync(PROGRAMS, directory, { recursive: true });
    cpSync(join(CHECKOUT, 'examples'), join(directory, 'examples'), { recursive: true });
    return new ConsumerProject(directory);
  }

  /** Runs a program of the project on the given Node. */
  run(node: string, args: readonly string[], environment: Record<string, string> = {}): Promise<Run> {
    return this.#execute(node, args, { PATH: process.env.PATH, ...environment });
  }

  /** Runs the command that the package brings, as a shell would, with the given Node first in the path. */
  bramble(node: string, args: readonly string[], environment: Record<string, string> = {}): Promise<Run> {
    const path = `${dirname(node)}:${process.env.PATH ?? ''}`;
    return this.#execute(join(this.directory, 'node_modules/.bin/bramble'), args, {
      PATH: path,
      ...environment,
    });
  }

  /** Type-checks one file, and all declarations that it uses. */
  check(file: string, compilerOptions: { lib: string[]; types: string[] }): Promise<Run> {
    const project = join(this.directory, 'tsconfig.json');
    const fixed = { module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: false, noEmit: true };
    writeFileSync(
      project,
      JSON.stringify({ compilerOptions: { ...fixed, ...compilerOptions }, files: [file] }),
    );
    return this.#execute(process.execPath, [TSC, '-p', project], { PATH: process.env.PATH });
  }

  removeResults(): void {
    rmSync(join(this.directory, 'results'), { recursive: true, force: true });
  }

  #execute(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
    return new Promise((resolve) => {
      const child = execFile(file, args, { cwd: this.directory, env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  }
}
