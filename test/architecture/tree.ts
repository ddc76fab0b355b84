import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** The repository's folder. */
export const ROOT = dirname(dirname(import.meta.dirname));

/** Folders that hold workspaces, one a folder. */
const PARENTS = ['libs', 'apps', 'examples', 'tools', 'deploy'] as const;

const foldersIn = (parent: string): string[] =>
  readdirSync(join(ROOT, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => `${parent}/${entry.name}`);

/** Enumerated, never listed by hand, so that a new folder is covered by itself. */
export const workspaces: readonly string[] = PARENTS.flatMap(foldersIn).sort();
export const libs: readonly string[] = foldersIn('libs');
export const apps: readonly string[] = foldersIn('apps');

/** Paths from the root, with forward slashes. */
export function filesBelow(folder: string, ending = ''): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !/(^|\/)(node_modules|dist)\//.test(file))
    .sort();
}

export const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Every TypeScript source of ours. */
export const sources: readonly string[] = [
  ...workspaces.flatMap((workspace) => filesBelow(workspace, '.ts')),
  ...filesBelow('test', '.ts'),
];

/** The names of the tests in a file, as written. */
export function testNamesOf(file: string): string[] {
  const calls = textOf(file).matchAll(/\bit(?:\.each\((?:[^()]|\([^()]*\))*\))?\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs);
  return [...calls].map(([, , name = '']) => name.replaceAll(/\\(.)/g, '$1'));
}
