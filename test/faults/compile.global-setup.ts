import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = dirname(dirname(import.meta.dirname));

/** The rig runs the compiled services: what is tested is what is written now. */
export default async function setup(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'tools/build.mjs')], { cwd: ROOT });
}
