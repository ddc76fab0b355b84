import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { NODE_ARGUMENTS } from '@castiron/local-stack';
import type { Answer } from './side-process.js';
import type { Programs } from './sides/programs.js';

const MAIN = join(import.meta.dirname, '../main.js');

type Given<Work> = Work extends (given: infer Argument) => unknown ? Argument : never;
type Result<Work> = Work extends (...given: never[]) => infer Outcome ? Awaited<Outcome> : never;

/** One measured side: a process of its own, so that its CPU and memory are its own too, which lives over all rounds. */
export class Side<Program> {
  private next = 0;
  private readonly waiting = new Map<number, (answer: Answer) => void>();

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    child.on('message', (answer: Answer) => {
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
    child.once('exit', (code, signal) => {
      const error = `the side ${name} ended (${signal ?? code})`;
      for (const [id, settle] of this.waiting) settle({ id, ok: false, error });
    });
  }

  /** @param profiles a folder for CPU profiles of the side's whole life */
  static async start<Name extends keyof Programs>(name: Name, profiles?: string): Promise<Side<Programs[Name]>> {
    const child = fork(MAIN, ['side', name], {
      serialization: 'advanced',
      execArgv: [
        // As the services are run.
        ...NODE_ARGUMENTS,
        // Each thread of the side has a file of its own there.
        ...(profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profiles, name)}`]),
      ],
    });
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error(`the side ${name} did not start`))),
    ]);
    return new Side(name, child);
  }

  async ask<What extends keyof Program & string>(
    what: What,
    given: Given<Program[What]>,
  ): Promise<Result<Program[What]>> {
    const id = (this.next += 1);
    const answer = await new Promise<Answer>((resolve) => {
      this.waiting.set(id, resolve);
      this.child.send({ id, what, given }, (error) => {
        if (error !== null) resolve({ id, ok: false, error: error.message });
      });
    });
    if (!answer.ok) throw new Error(`${this.name} could not ${what}: ${answer.error}`);
    // Sound: the side runs the program that this was started with.
    return answer.result as Result<Program[What]>;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(timer);
  }
}
