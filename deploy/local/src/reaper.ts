import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Ends our processes even where we are killed and cannot: it reads `+pid` and `-pid` lines, and when its input
 * closes, which it does with us whatever happens, ends those that are left.
 */
const PROGRAM = `
  const pids = new Set();
  const signal = (name) => { for (const pid of pids) try { process.kill(pid, name); } catch { pids.delete(pid); } };
  let rest = '';
  process.stdin.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\\n');
    rest = lines.pop();
    for (const line of lines) line[0] === '+' ? pids.add(Number(line.slice(1))) : pids.delete(Number(line.slice(1)));
  }).on('end', () => {
    if (pids.size === 0) process.exit();
    signal('SIGINT');
    setInterval(() => { signal(0); if (pids.size === 0) process.exit(); }, 100);
    setTimeout(() => { signal('SIGKILL'); process.exit(); }, 6000);
  });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {});
`;

let reaper: ChildProcess | undefined;

function tell(line: string): void {
  if (reaper === undefined) {
    reaper = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    reaper.once('exit', () => (reaper = undefined));
    // Neither the process nor its pipe keeps us running: when we end, both do.
    reaper.unref();
    (reaper.stdin as unknown as { unref(): void }).unref();
    reaper.stdin?.on('error', () => undefined);
  }
  reaper.stdin?.write(`${line}\n`);
}

export const reapLater = (pid: number): void => tell(`+${pid}`);
export const reapNoMore = (pid: number): void => tell(`-${pid}`);
