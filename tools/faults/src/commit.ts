import { execFileSync } from 'node:child_process';

const here = (...args: string[]): string =>
  execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/** Which code is run here: a commit, and whether anything was changed since; `unknown` without git. */
export function commitHere(git = here): string {
  try {
    const commit = git('rev-parse', '--short', 'HEAD');
    return git('status', '--porcelain') === '' ? commit : `${commit}+changes`;
  } catch {
    return 'unknown';
  }
}
