import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { feeds } from '@castiron/contracts';
import { startCastiron, type Castiron } from '@castiron/local-stack';
import type pg from 'pg';
import type { Bench } from '../spine/bench.js';
import { ProcessUse } from '../spine/process-use.js';
import { PostgresUse } from '../spine/postgres-use.js';
import { connectedTo } from './connected-to.js';
import { releaseAll, type Released, type Uses } from './release-all.js';
import type { InventedCustomer } from './invented-customers.js';

const PRELOAD = pathToFileURL(join(import.meta.dirname, 'without-ledger.js')).href;

/** As ever, or without the named part. */
export type How = 'as ever' | 'ledger' | 'announcements';

/** partner-sharing and the service that gives it keys, as they run in production, each a process of its own. */
export class Disclosing {
  private constructor(
    readonly castiron: Castiron,
    readonly database: pg.Client,
    private readonly bench: Bench,
    private readonly postgres: PostgresUse | undefined,
  ) {}

  static async with<T>(bench: Bench, work: (disclosing: Disclosing) => Promise<T>): Promise<T> {
    const castiron = await startCastiron(bench.stack, { services: ['customer-profiles', 'partner-sharing'] });
    try {
      const url = bench.stack.postgres['partner-sharing'];
      const postgres = process.platform === 'linux' ? await PostgresUse.of(url) : undefined;
      const working = connectedTo(url, async (client) => {
        const disclosing = new Disclosing(castiron, client, bench, postgres);
        if (bench.profiles !== undefined) await disclosing.restart('as ever');
        return work(disclosing);
      });
      return await Promise.race([working, castiron.broken.then((reason) => Promise.reject(new Error(reason)))]);
    } finally {
      await castiron.stop();
    }
  }

  /** Starts partner-sharing anew. */
  async restart(how: How): Promise<void> {
    const options = [
      ...(how === 'as ever' ? [] : [`--import=${PRELOAD}?without=${how}`]),
      ...(this.bench.profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${this.bench.profiles}`]),
    ];
    await this.castiron.restart('partner-sharing', options.length > 0 ? { NODE_OPTIONS: options.join(' ') } : {});
  }

  /** @throws where not each record is on its feed, and named by an entry of the ledger (unless there is none) */
  async release(
    customers: readonly InventedCustomer[],
    recipients: readonly string[],
    hasLedger = true,
  ): Promise<Released> {
    const before = await this.standing(recipients);
    const released = await releaseAll(this.database, customers, this.uses());
    const after = await this.standing(recipients);
    const wanted = customers.length * recipients.length;
    // More where a send was given up: a tick of each partition, and what was sent again.
    if (after.records - before.records < wanted)
      throw new Error(`${after.records - before.records} records are on the feeds, not ${wanted}`);
    const entries = after.entries - before.entries;
    if (hasLedger ? entries < wanted : entries > 0)
      throw new Error(`${entries} entries in the ledger for ${wanted} records`);
    return released;
  }

  /** Of the ledger. */
  async entries(): Promise<number> {
    const { rows } = await this.database.query<{ size: string }>('SELECT size FROM ledger_head');
    return Number(rows[0]?.size);
  }

  private async standing(recipients: readonly string[]): Promise<{ records: number; entries: number }> {
    const counts = await Promise.all(recipients.map((slug) => this.bench.recordsOn(feeds.of(slug).name)));
    return { records: counts.reduce((sum, count) => sum + count, 0), entries: await this.entries() };
  }

  private uses(): Uses {
    const useOf = (service: string) => new ProcessUse(this.castiron.parts[service]?.pid ?? 0);
    const [service, keys] = [useOf('partner-sharing'), useOf('customer-profiles')];
    if (process.platform !== 'linux') return { service: () => Number.NaN, others: () => Number.NaN };
    return {
      service: () => service.cpuUs(),
      others: () => keys.cpuUs() + (this.postgres?.cpuUs() ?? Number.NaN),
    };
  }
}
