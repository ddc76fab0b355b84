// Compiles every workspace's src/ to dist/ with SWC, skipping what is already newer than its source.
import { transformFile } from '@swc/core';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

const root = dirname(import.meta.dirname);
const parents = ['libs', 'apps', 'examples', 'tools'];

const workspaces = [join(root, 'deploy/local')];
for (const parent of parents) {
  for (const entry of await readdir(join(root, parent), { withFileTypes: true })) {
    if (entry.isDirectory()) workspaces.push(join(root, parent, entry.name));
  }
}

const modified = async (file) => (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;

async function filesBelow(folder, ending) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function compile(source, target) {
  const { code, map } = await transformFile(source, {
    configFile: join(root, '.swcrc'),
    sourceFileName: relative(dirname(target), source),
  });
  await mkdir(dirname(target), { recursive: true });
  await writeFile(`${target}.map`, map);
  await writeFile(target, `${code}//# sourceMappingURL=${target.slice(target.lastIndexOf('/') + 1)}.map\n`);
}

async function build(workspace) {
  const sources = (await filesBelow(join(workspace, 'src'), '.ts')).filter((file) => !file.endsWith('.spec.ts'));
  const targets = new Map(
    sources.map((source) => [
      join(workspace, 'dist', relative(join(workspace, 'src'), source)).replace(/\.ts$/, '.js'),
      source,
    ]),
  );
  // A file whose source is gone would still be imported or collected as a migration.
  for (const file of await filesBelow(join(workspace, 'dist'), '.js')) {
    if (!targets.has(file)) await rm(file);
  }
  let compiled = 0;
  for (const [target, source] of targets) {
    if ((await modified(target)) > (await modified(source))) continue;
    await compile(source, target);
    compiled += 1;
  }
  return compiled;
}

try {
  const counts = await Promise.all(workspaces.map(build));
  const compiled = counts.reduce((sum, count) => sum + count, 0);
  if (compiled > 0) console.log(`Compiled ${compiled} files.`);
} catch (error) {
  console.error(error.syscall === undefined ? error : `${error.path} cannot be written: ${error.code}.`);
  process.exitCode = 1;
}
