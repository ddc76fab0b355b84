import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { promisify } from 'node:util';
import { reapLater, reapNoMore } from './reaper.js';

export interface PartOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly log: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** The signal that asks it to end in order. */
  readonly stopSignal?: NodeJS.Signals;
}

const run = promisify(execFile);

const TAIL_LINES = 15;

/** A process of ours: its output goes to a log file, its last lines are kept to tell why it ended. */
export class Part {
  readonly name: string;
  readonly pid: number | undefined;
  /** Resolves with the reason once the process is gone, also where it could never start. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private readonly tail: string[] = [];
  private readonly waiting = new Set<{ pattern: RegExp; found: (line: string) => void }>();
  private gone = false;

  constructor(private readonly options: PartOptions) {
    this.name = options.name;
    this.child = spawn(options.command, [...options.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C reaches us alone, and we end the parts in order.
      detached: true,
      env: options.env ?? process.env,
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.uid !== undefined && { uid: options.uid }),
      ...(options.gid !== undefined && { gid: options.gid }),
    });
    this.pid = this.child.pid;
    if (this.pid !== undefined) reapLater(this.pid);
    const log = createWriteStream(options.log, { flags: 'a', mode: 0o600 });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.pipe(log, { end: false });
      let rest = '';
      stream?.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        lines.forEach((line) => this.heard(line));
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.gone = true;
        resolve(`${this.name} could not be started: ${error.message}`);
      });
      this.child.once('close', (code, signal) => {
        this.gone = true;
        log.end();
        if (this.pid !== undefined) reapNoMore(this.pid);
        resolve(
          `${this.name} ended (${signal ?? `exit code ${code}`}); its last words, in full in ${options.log}:\n${this.tail.join('\n')}`,
        );
      });
    });
  }

  /** The first line from now on that matches; fails when the process ends or the time is up. */
  async says(pattern: RegExp, within = 60_000): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const wanted = { pattern, found: (_line: string): void => undefined };
    this.waiting.add(wanted);
    try {
      return await Promise.race([
        new Promise<string>((resolve) => (wanted.found = resolve)),
        this.ended.then((reason) => Promise.reject(new Error(reason))),
        new Promise<never>((_, reject) => {
          timer = setTimeout(
            () => reject(new Error(`${this.name} was not ready after ${within} ms; see ${this.options.log}`)),
            within,
          );
        }),
      ]);
    } finally {
      clearTimeout(timer);
      this.waiting.delete(wanted);
    }
  }

  /** Asks the process to end and, where it does not within the time, ends it. */
  async stop(within = 4000): Promise<void> {
    if (this.gone) return;
    this.child.kill(this.options.stopSignal ?? 'SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), within);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    if (this.gone) return;
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** It and the processes that it started take and answer nothing until it is thawed. */
  async freeze(): Promise<void> {
    // First itself, so that it starts no more of them.
    this.child.kill('SIGSTOP');
    await this.signalChildren('SIGSTOP');
  }

  async thaw(): Promise<void> {
    await this.signalChildren('SIGCONT');
    this.child.kill('SIGCONT');
  }

  private async signalChildren(signal: NodeJS.Signals): Promise<void> {
    // Fails where there are none.
    const { stdout } = await run('pgrep', ['-P', String(this.pid)]).catch(() => ({ stdout: '' }));
    for (const pid of stdout.split('\n').filter((line) => line !== '')) {
      try {
        process.kill(Number(pid), signal);
      } catch {
        // It has just ended.
      }
    }
  }

  private heard(line: string): void {
    this.tail.push(line);
    if (this.tail.length > TAIL_LINES) this.tail.shift();
    for (const { pattern, found } of this.waiting) if (pattern.test(line)) found(line);
  }
}
