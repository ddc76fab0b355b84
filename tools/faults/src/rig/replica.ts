import { join } from 'node:path';
import { DOT_CASTIRON, missingAt, NODE_ARGUMENTS, Part, PROGRAMS, ROOT } from '@castiron/local-stack';
import type { CutFrom, Service } from '../plan/faults.js';
import type { Proxy } from '../proxy/proxy.js';
import type { ReplicaMemory } from '../proxy/points.js';
import { ownEndOf, type OwnEnd, type Said } from './own-end.js';

const READY_WITHIN_MS = 60_000;
const PAUSE_MS = 100;
/** A service drains and exits within ten seconds; the machine that runs all of this is given some on top. */
const ENDS_WITHIN_MS = 10_500;
const GIVEN_UP_AFTER_MS = 20_000;
const UP = /"msg":"listening"/;
const FATAL = /"level":"fatal"/;
/** Node's own words about an error that nobody caught: what the service says itself is JSON. */
const THROWN = /^(?:\w*Error|error)\b/;
/** The longest that a timer takes. */
const ANY_TIME_MS = 2 ** 31 - 1;
/** A supervisor starts again what ended, and not faster than this. */
const RESTART_AFTER_MS = 300;

export interface ReplicaOptions {
  readonly service: Service;
  readonly index: number;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: string;
  /** Further arguments of node, for a planted bug. */
  readonly nodeArguments: readonly string[];
  readonly proxies: { readonly database: Proxy; readonly broker: Proxy };
  readonly memory: ReplicaMemory;
}

/** An end that nobody had asked for, and when. */
interface Ended extends OwnEnd {
  readonly time: string;
}

/** How a process ended that was asked to. */
export interface Ending {
  /** What was wrong with it, where something was. */
  readonly wrong?: string;
}

/** One process of a service, and a supervisor that starts it again whenever it ends. */
export class Replica {
  readonly name: string;
  readonly service: Service;
  readonly url: string;
  private part: Part | undefined;
  private stopping = false;
  /** What it says when it ends by itself. */
  private said: Promise<Omit<Said, 'reason'>> = Promise.resolve({});
  /** Why it ended the last time, where it did. */
  lastWords: string | undefined;
  /** How it ended by itself, until somebody takes it away; also between two seeds. */
  readonly endedByItself: Ended[] = [];

  constructor(private readonly options: ReplicaOptions) {
    this.service = options.service;
    this.name = `${options.service}-${options.index + 1}`;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  get log(): string {
    return this.options.log;
  }

  start(): void {
    const { environment, log, nodeArguments, service } = this.options;
    this.options.memory.acknowledged = false;
    const part = new Part({
      name: this.name,
      command: process.execPath,
      args: [...nodeArguments, ...NODE_ARGUMENTS, join(ROOT, PROGRAMS[service])],
      // Started often: what was compiled the last time is kept.
      env: { ...environment, NODE_COMPILE_CACHE: join(DOT_CASTIRON, 'cache', 'node') },
      log,
      cwd: ROOT,
    });
    this.part = part;
    let wasUp = false;
    part.says(UP, ANY_TIME_MS).then(
      () => (wasUp = true),
      () => undefined,
    );
    const line = (pattern: RegExp) => part.says(pattern, ANY_TIME_MS).catch(() => undefined);
    const said = (this.said = Promise.all([line(FATAL), line(THROWN)]).then(([fatal, thrown]) => ({ fatal, thrown })));
    void part.ended.then(async (reason) => {
      this.lastWords = reason;
      const wasAsked = this.part !== part;
      if (!wasAsked) this.part = undefined;
      if (this.stopping) return;
      const time = new Date().toISOString();
      if (!wasAsked) this.endedByItself.push({ time, ...ownEndOf(wasUp, { reason, ...(await said) }) });
      setTimeout(() => {
        if (!this.stopping) this.start();
      }, RESTART_AFTER_MS);
    });
  }

  /** kill -9; the supervisor starts it again. @returns whether there was a process */
  kill(): boolean {
    const { part } = this;
    this.part = undefined;
    void part?.kill();
    return part !== undefined;
  }

  /**
   * SIGTERM; the supervisor starts it again. One that is not up yet has nothing to end in order.
   * @returns nothing where nobody was there to be asked
   */
  async askToEnd(): Promise<Ending | undefined> {
    await this.ready();
    const { part, said } = this;
    this.part = undefined;
    if (part?.pid === undefined) return undefined;
    const asked = Date.now();
    process.kill(part.pid, 'SIGTERM');
    const timer = setTimeout(() => void part.kill(), GIVEN_UP_AFTER_MS);
    const reason = await part.ended;
    clearTimeout(timer);
    const took = Date.now() - asked;
    if (took > ENDS_WITHIN_MS) return { wrong: `took ${took} ms` };
    if (reason.includes('exit code 0')) return {};
    const { why } = ownEndOf(true, { reason, ...(await said) });
    return { wrong: `ended otherwise: ${why}` };
  }

  /** @returns whether there was a process */
  signal(name: 'SIGSTOP' | 'SIGCONT'): boolean {
    if (this.part?.pid === undefined) return false;
    try {
      return process.kill(this.part.pid, name);
    } catch {
      // It has just ended.
      return false;
    }
  }

  /** Resolves once it answers requests and reads its topics; false where it is not in time. */
  async ready(within = READY_WITHIN_MS): Promise<boolean> {
    const deadline = Date.now() + within;
    while (Date.now() < deadline) {
      if ((await missingAt(this.url)) === undefined) return true;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return false;
  }

  /** Breaks its connections, and new ones too. @returns what lets it connect again */
  cutOff(from: CutFrom): () => void {
    const { database, broker } = this.options.proxies;
    const cut = { database: [database], broker: [broker], both: [database, broker] }[from];
    for (const proxy of cut) {
      proxy.refuses = true;
      proxy.cutAll();
    }
    return () => {
      for (const proxy of cut) proxy.refuses = false;
    };
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.signal('SIGCONT');
    await this.part?.stop(2_000);
  }
}
