import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface InstalledNode {
  whose: string;
  path: string;
  version: string;
}

/** The Node that the system has, which may be as old as 20, and the one that the project runs on. */
export function installedNodes(): InstalledNode[] {
  return [
    installedNode("the system's Node", systemNode()),
    installedNode('the Node of the project', process.execPath),
  ];
}

function installedNode(whose: string, path: string): InstalledNode {
  return { whose, path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim() };
}

/** npm puts directories of packages, with a Node of the project's own, before what the system has. */
function systemNode(): string {
  const directories = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((path) => !path.includes('node_modules'));
  const found = directories.map((directory) => join(directory, 'node')).find(existsSync);
  if (found === undefined) throw new Error('there is no Node in the PATH beside that of the project');
  return found;
}
