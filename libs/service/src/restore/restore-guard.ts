import type { Health, Logger, Metrics } from '@castiron/observability';
import type { Mark, OwnTopics } from '@castiron/outbox';
import type { DataSource } from 'typeorm';
import type { Part } from '../part.js';
import type { Recovery } from './recovery.js';
import { RecoveryRun } from './recovery-run.js';
import { lastRecovery } from './recoveries.table.js';
import type { FencedBecause, Gap, RestoreFence } from './restore-fence.js';
import { runRecovery } from './run-recovery.js';

/** From one mark to the next: what is published in between is read at a start after a crash. */
const MARK_MS = 10_000;
/** A start waits so long for what the topics say; then it goes on without. */
const PATIENCE_MS = 5_000;
/** From one look to the next while it is not known. */
const AGAIN_MS = 2_000;

export interface RestoreGuardOptions {
  readonly dataSource: DataSource;
  readonly topics: OwnTopics;
  readonly fence: RestoreFence;
  readonly recovery: Recovery;
  /** What stands still while the fence is up. */
  readonly behindFence: readonly Part[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
}

/**
 * Keeps a service whose database was restored from a backup from going on as if nothing had been taken back since (G13): all
 * that sends, discloses or consumes is started once it is known that the database has whatever it told others.
 */
export class RestoreGuard implements Part {
  readonly name = 'restore guard';
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> = Promise.resolve();
  private started: Part[] = [];
  private stopping = false;
  /** Of the database that was looked at last. */
  private place = '';
  private seenRecovery: string | undefined;
  private run: RecoveryRun | undefined;
  private onCrash: (error: Error) => void = () => undefined;

  constructor(private readonly options: RestoreGuardOptions) {
    const { fence, metrics, health } = options;
    const help = '1 while the service stands still because its database may have been restored from a backup';
    metrics.watch('castiron_restore_fenced', help, () => (fence.state === undefined ? 0 : 1));
    for (const [name, reason] of [
      ['restore', 'behind'],
      ['own-topics', 'unread'],
    ] as const)
      health.addBackground(name, () => {
        if (fence.state?.reason === reason) throw new Error(reason);
      });
  }

  async start(onCrash: (error: Error) => void): Promise<void> {
    this.onCrash = onCrash;
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
    await Promise.race([this.next(() => this.look()), enough]);
    clearTimeout(timer);
    this.again();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    await Promise.race([this.working, new Promise((resolve) => setTimeout(resolve, 500))]);
    for (const part of this.started.reverse())
      await part
        .stop()
        .catch((error: unknown) =>
          this.options.logger.error({ err: error, part: part.name }, 'a part did not stop well'),
        );
  }

  /** The last one of this process, or else of the database. */
  async lastRun(): Promise<object | undefined> {
    if (this.run !== undefined) return this.run.state();
    const last = await lastRecovery(this.options.dataSource);
    return last && { ...last.report, state: 'done', phase: '' };
  }

  get isRecovering(): boolean {
    return this.run?.isRunning === true;
  }

  /** Begins a recovery, which goes on in the background. */
  recover(dryRun: boolean): void {
    const { dataSource, topics, recovery, logger } = this.options;
    const run = new RecoveryRun(dryRun);
    this.run = run;
    void this.next(async () => {
      try {
        await runRecovery({ dataSource, topics, recovery }, run);
        if (!dryRun) await this.look();
        run.end('done');
        logger.info(
          { ...run.report() },
          dryRun ? 'it was looked what a recovery would do' : 'the service has recovered',
        );
      } catch (error) {
        run.note(`It ended early: ${error instanceof Error ? error.message : 'for an unknown reason'}. Run it again.`);
        run.end('failed');
        logger.error({ err: error }, 'a recovery failed; it may be run again');
      }
    });
  }

  /** One at a time. */
  private next(work: () => Promise<void>): Promise<void> {
    return (this.working = this.working.then(async () => {
      if (!this.stopping) await work();
    }));
  }

  private again(): void {
    if (this.stopping) return;
    const isOpen = this.options.fence.state === undefined;
    this.timer = setTimeout(
      () => void this.next(() => (isOpen ? this.keepMarks() : this.lookAgain())).finally(() => this.again()),
      isOpen ? MARK_MS : AGAIN_MS,
    );
    this.timer.unref();
  }

  /** Whether the database has all that it told, and if so, opens. Where that cannot be told, nothing changes. */
  private async look(): Promise<void> {
    const { topics, fence, logger, recovery } = this.options;
    try {
      this.seenRecovery = (await lastRecovery(this.options.dataSource))?.id;
      const mark = await topics.now();
      const gaps = await this.gaps(mark);
      const found = await recovery.behind?.();
      if (gaps.length > 0 || found !== undefined) {
        const because: FencedBecause = { reason: 'behind', gaps, ...(found !== undefined && { found }) };
        if (fence.state?.reason !== 'behind')
          logger.error(
            { gaps, found },
            'the database was restored from a backup: nothing is disclosed until "npm run recover"',
          );
        return fence.raise(because);
      }
      if (await topics.mark(mark)) this.place = mark.place;
      await this.open();
    } catch (error) {
      logger.error(
        { err: error },
        'whether the database was restored from a backup cannot be told: nothing is disclosed',
      );
    }
  }

  private async gaps(mark: Mark): Promise<readonly Gap[]> {
    const gaps = new Map<string, { topic: string; records: number; from: string; until: string }>();
    for await (const { topic, isKnown, timestamp } of this.options.topics.read(mark)) {
      if (isKnown) continue;
      const at = timestamp.toISOString();
      const gap = gaps.get(topic) ?? { topic, records: 0, from: at, until: at };
      gap.records += 1;
      if (at < gap.from) gap.from = at;
      if (at > gap.until) gap.until = at;
      gaps.set(topic, gap);
    }
    return [...gaps.values()];
  }

  /** What is behind stays so until somebody recovered, perhaps in another replica. */
  private async lookAgain(): Promise<void> {
    if (this.options.fence.state?.reason === 'behind') {
      const last = await lastRecovery(this.options.dataSource).catch(() => undefined);
      if (last === undefined || last.id === this.seenRecovery) return;
    }
    await this.look();
  }

  private async open(): Promise<void> {
    if (this.options.fence.state === undefined || this.stopping) return;
    try {
      for (const part of this.options.behindFence) {
        // Listed before it is started: one that started half is stopped too.
        this.started.push(part);
        await part.start(this.onCrash);
      }
      this.options.fence.lower();
    } catch (error) {
      this.onCrash(error instanceof Error ? error : new Error('a part did not start'));
    }
  }

  private async keepMarks(): Promise<void> {
    const { topics, logger } = this.options;
    try {
      const mark = await topics.now();
      if (mark.place === this.place) return void (await topics.mark(mark));
      // Its server was started again, or a backup was put in its place under us.
      if ((await this.gaps(mark)).length > 0 || (await this.options.recovery.behind?.()) !== undefined)
        return this.onCrash(new Error('the database was replaced by an older one'));
      if (await topics.mark(mark)) this.place = mark.place;
    } catch (error) {
      logger.warn({ err: error }, 'own topics could not be marked; it is tried again');
    }
  }
}
