import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ROOT } from './places.js';
import { NODE_ARGUMENTS } from './services.js';

/** Where what this program throws comes from, run as a service is. */
async function stackOf(program: string): Promise<string> {
  const tells = `try { ${program} } catch (error) { console.log(error.stack); }`;
  const ran = await promisify(execFile)(process.execPath, [...NODE_ARGUMENTS, '--input-type=module', '-e', tells], {
    cwd: ROOT,
  });
  return ran.stdout;
}

describe('A service', () => {
  it('names our own source where it tells what went wrong', async () => {
    const stack = await stackOf(`(await import('@castiron/encryption')).readKeyFile('no-such-file')`);

    expect(stack).toMatch(/libs\/encryption\/src\/[\w-]+\.ts:\d+/);
  });

  it("does without the maps of libraries, which take more memory than all of its own sources' maps", async () => {
    const stack = await stackOf(`new (await import('typeorm')).DataSource({ type: 'none' })`);

    expect(stack).toContain('node_modules/typeorm/');
    expect(stack).not.toMatch(/typeorm\/.*\.ts:\d+/);
  });
});
