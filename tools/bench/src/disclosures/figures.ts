import { feeds } from '@castiron/contracts';
import { inTurn, type Bench } from '../spine/bench.js';
import { figure, ratio, type Figure, type Wanted } from '../spine/figure.js';
import type { Work } from '../spine/stopwatch.js';
import { Disclosing, type How } from './disclosing.js';
import { inventCustomers, type InventedCustomer } from './invented-customers.js';
import { inventRecipients } from './invented-recipients.js';
import type { Released } from './release-all.js';

const RECIPIENTS = [1, 10, 100] as const;
/** Where one number of recipients has to do. */
const SOME = 10;
const TIMES = 10;
/** As in the drains of the spine. */
const RAW_BATCH = 1000;
const DIFFERENT = 20_000;

const AGAINST_RAW: Wanted = { direction: 'atLeast', must: 0.08, aim: 0.2 };

const released = ({ records, ms }: Released): number => (records * 1000) / ms;
const sent = ({ events, ms }: Work): number => (events * 1000) / ms;
const cpuOfService = ({ serviceUs, records }: Released): number => serviceUs / records;
const cpuOfAll = ({ allUs, records }: Released): number => allUs / records;

/** Recipients with customers of theirs: each has a share with each. */
class Among {
  private constructor(
    private readonly bench: Bench,
    private readonly disclosing: Disclosing,
    readonly recipients: readonly string[],
    readonly customers: readonly InventedCustomer[],
  ) {}

  /** With as many customers as make the records of a round. */
  static async invent(bench: Bench, disclosing: Disclosing, name: string, recipients: number): Promise<Among> {
    const count = bench.sizes.records / recipients;
    process.stderr.write(`inventing ${recipients} recipients with ${count} customers\n`);
    const slugs = await inventRecipients(bench, disclosing.castiron, name, recipients);
    return new Among(bench, disclosing, slugs, await inventCustomers(bench.stack, count, slugs));
  }

  /** More customers of the same recipients. */
  async more(times: number): Promise<Among> {
    const count = this.customers.length * times;
    process.stderr.write(`inventing ${count} customers more\n`);
    const more = await inventCustomers(this.bench.stack, count, this.recipients);
    return new Among(this.bench, this.disclosing, this.recipients, [...this.customers, ...more]);
  }

  /** Of as many customers as a round has, spread over all. */
  release(round: number, hasLedger = true): Promise<Released> {
    const count = this.bench.sizes.records / this.recipients.length;
    const every = this.customers.length / count;
    const chosen = this.customers.filter((_, n) => Math.floor((n + round) % every) === 0).slice(0, count);
    return this.disclosing.release(chosen, this.recipients, hasLedger);
  }

  /** The bare client sends what stands on the feeds again, to topics like them. */
  async copying(): Promise<(sealed: boolean) => Promise<Work>> {
    const { kafka, sizes } = this.bench;
    const topics = await Promise.all(
      this.recipients.map(async (slug) => {
        const feed = feeds.of(slug);
        return { from: feed.name, to: await this.bench.topicLike(feed, `bench.raw-${slug}.v1`) };
      }),
    );
    const copier = await this.bench.side('bare-copier');
    const given = { kafka, topics, count: sizes.records, different: DIFFERENT, batch: RAW_BATCH };
    return (sealed) => copier.ask('copy', { ...given, sealed });
  }
}

interface Round {
  readonly product: Released;
  readonly raw: Work;
  readonly sealed: Work;
}

/** The product and, right before or after it, the bare client with what the product has put on the feeds. */
async function againstRaw(bench: Bench, what: string, among: Among): Promise<readonly Round[]> {
  // So that the bare client has something to send again.
  await among.release(0);
  const copy = await among.copying();
  return bench.rounds(what, (round) =>
    inTurn(round, { sealed: () => copy(true), product: () => among.release(round), raw: () => copy(false) }),
  );
}

const ratesOf = (rounds: readonly Round[]): number[] => rounds.map(({ product }) => released(product));
const sharesOfRaw = (rounds: readonly Round[]): number[] =>
  rounds.map(({ product, raw }) => released(product) / sent(raw));

function figuresAmong(to: string, rounds: readonly Round[]): Figure[] {
  const raw = rounds.map((it) => sent(it.raw));
  return [
    ratio(`disclosures / raw kafkajs, ${to}`, ratesOf(rounds), raw, AGAINST_RAW),
    ratio(
      `raw kafkajs with AES-GCM / raw kafkajs, ${to}`,
      rounds.map((it) => sent(it.sealed)),
      raw,
    ),
    figure(`disclosures, ${to}`, 'records/s', ratesOf(rounds)),
    figure(`raw kafkajs, ${to}`, 'records/s', raw),
    figure(
      `CPU per disclosure, ${to}`,
      'µs',
      rounds.map(({ product }) => cpuOfService(product)),
    ),
    figure(
      `CPU per disclosure with PostgreSQL and keys, ${to}`,
      'µs',
      rounds.map(({ product }) => cpuOfAll(product)),
    ),
  ];
}

/** The same number of records for 1, 10 and 100 recipients: from what asks for them until all are settled. */
export const disclosures = (bench: Bench): Promise<Figure[]> =>
  Disclosing.with(bench, async (disclosing) => {
    const figures: Figure[] = [];
    for (const count of RECIPIENTS) {
      const to = count === 1 ? '1 recipient' : `${count} recipients`;
      const among = await Among.invent(bench, disclosing, `to-${count}`, count);
      figures.push(...figuresAmong(to, await againstRaw(bench, `disclosures to ${to}`, among)));
    }
    return figures;
  });

/**
 * The same number of records where there are ten times the customers, shares and permissions, and a longer ledger. Each is
 * compared with the bare client beside it, for the two were not measured one right after the other.
 */
export const growth = (bench: Bench): Promise<Figure[]> =>
  Disclosing.with(bench, async (disclosing) => {
    const among = await Among.invent(bench, disclosing, 'growth', SOME);
    const few = await againstRaw(bench, 'disclosures of few customers', among);
    const many = await againstRaw(bench, 'disclosures of many customers', await among.more(TIMES - 1));
    return [
      ratio(
        `disclosures with ${TIMES} times the customers / with a tenth, each by raw kafkajs`,
        sharesOfRaw(many),
        sharesOfRaw(few),
      ),
      ratio(
        `CPU per disclosure with ${TIMES} times the customers / with a tenth`,
        many.map(({ product }) => cpuOfAll(product)),
        few.map(({ product }) => cpuOfAll(product)),
      ),
      figure(`disclosures with ${TIMES} times the customers`, 'records/s', ratesOf(many)),
      figure('disclosures with a tenth of them', 'records/s', ratesOf(few)),
    ];
  });

/** Of the time and of the CPU of a disclosure, what is not needed where there is no ledger. */
export const ledger = (bench: Bench): Promise<Figure[]> =>
  Disclosing.with(bench, async (disclosing) => {
    const among = await Among.invent(bench, disclosing, 'ledger', SOME);
    const releaseBy = async (how: How, round: number): Promise<Released> => {
      await disclosing.restart(how);
      // A process that has just started is slow.
      await among.release(round, how !== 'ledger');
      return among.release(round, how !== 'ledger');
    };
    const rounds = await bench.rounds('disclosures with and without the ledger', (round) =>
      inTurn(round, {
        with: () => releaseBy('as ever', round),
        without: () => releaseBy('ledger', round),
        unannounced: () => releaseBy('announcements', round),
      }),
    );
    const share = (of: (released: Released) => number, part: 'without' | 'unannounced') =>
      rounds.map((it) => 1 - of(it[part]) / of(it.with));
    const time = ({ ms, records }: Released): number => ms / records;
    return [
      figure("the ledger's share of the time of a disclosure", 'ratio', share(time, 'without'), {
        direction: 'atMost',
        must: 1 / 3,
      }),
      figure("the ledger's share of the CPU of a disclosure", 'ratio', share(cpuOfAll, 'without')),
      figure('of that, announcing entries on their topic: time', 'ratio', share(time, 'unannounced')),
      figure('of that, announcing entries on their topic: CPU', 'ratio', share(cpuOfAll, 'unannounced')),
      figure(
        'CPU per disclosure with PostgreSQL and keys, without the ledger',
        'µs',
        rounds.map((it) => cpuOfAll(it.without)),
      ),
    ];
  });
