import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Metrics } from '@castiron/observability';
import { appendToOutbox, type RelayOptions } from '@castiron/outbox';
import type { OutboxPort } from '@castiron/transactions';
import type { MessagingSettings, ServiceSettings } from '../service-settings.js';
import type { KafkaOfService } from './kafka-of.js';
import { RelayMemory } from './relay-memory.js';

export type RelaySettings = KafkaOfService &
  Pick<ServiceSettings & MessagingSettings, 'logLevel' | 'databaseUrl'> &
  Pick<RelayOptions, 'pollMs'>;

export interface WorkerData {
  readonly settings: RelaySettings;
  readonly cells: BigInt64Array<SharedArrayBuffer>;
}

/** What its thread is asked for: to look for news, or to end. */
export type Asked = 'wake' | 'stop';

/** Compiled, also where a test runs the sources, whose arguments the thread must not have then. */
const PROGRAM = createRequire(import.meta.url).resolve('@castiron/service/relay-worker');
/**
 * In MiB. What was sent soon is thrown away soon: a young heap as large as V8 lets it become keeps more of it than needed,
 * and the whole heap is collected the earlier.
 */
const LIMITS = { maxYoungGenerationSizeMb: 48 };
const ARGUMENTS = process.execArgv.some((argument) => argument.startsWith('--conditions')) ? { execArgv: [] } : {};

/**
 * A service's relay, on a thread of its own: committed events do not wait behind requests and handlers, nor do the leases
 * of its lanes.
 */
export class RelayThread implements OutboxPort {
  readonly append = appendToOutbox;
  private readonly settings: RelaySettings;
  private readonly memory = new RelayMemory();
  private worker: Worker | undefined;
  private stopping = false;

  constructor(settings: RelaySettings, metrics?: Metrics) {
    const { name, logLevel, databaseUrl, leaseMs, pollMs } = settings;
    const { kafkaBrokers, kafkaUsername, kafkaPassword, kafkaSsl } = settings;
    // No more than it needs: a thread gets a copy.
    const kafka = { kafkaBrokers, kafkaUsername, kafkaPassword, kafkaSsl };
    this.settings = { name, logLevel, databaseUrl, leaseMs, pollMs, ...kafka };
    const count = (what: 'sent' | 'failed') => () => this.memory.count(what);
    metrics?.watchCount('castiron_outbox_sent_total', 'Events of the outbox that are on their topics', count('sent'));
    metrics?.watchCount('castiron_outbox_failed_sends_total', 'Sends of the outbox that failed', count('failed'));
  }

  /** Events that are on their topics, of those sent by this process. */
  get sent(): number {
    return this.memory.count('sent');
  }

  /**
   * Resolves once the outbox has room. It is sent from then on, unless another process holds it.
   * @param onCrash hears of an end that nobody asked for, after the start
   */
  async start(onCrash: (error: Error) => void): Promise<void> {
    const data: WorkerData = { settings: this.settings, cells: this.memory.cells };
    const worker = new Worker(PROGRAM, { name: 'relay', workerData: data, resourceLimits: LIMITS, ...ARGUMENTS });
    this.worker = worker;
    let crashed = (error: Error): void => void error;
    const ended = new Promise<never>((_, reject) => {
      crashed = reject;
    });
    worker.on('error', (error) => crashed(error instanceof Error ? error : new Error('the relay ended')));
    worker.on('exit', () => {
      if (!this.stopping) crashed(new Error('the relay ended'));
    });
    await Promise.race([once(worker, 'message'), ended]);
    crashed = onCrash;
  }

  /** Ends the sends under way and lets go of the lanes. */
  async stop(): Promise<void> {
    this.stopping = true;
    const { worker } = this;
    if (worker === undefined || worker.threadId === -1) return;
    const gone = once(worker, 'exit');
    this.ask('stop');
    await gone;
  }

  /** Called after a commit: there is something to send. */
  wake(): void {
    // Said to nobody, it would keep all later news from being told.
    if (this.worker !== undefined && this.memory.giveNews()) this.ask('wake');
  }

  private ask(what: Asked): void {
    this.worker?.postMessage(what);
  }
}
