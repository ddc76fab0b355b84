import { randomUUID } from 'node:crypto';
import { openTransaction } from '@castiron/kafka/testing/open-transaction';
import { outboxMigrations } from '@castiron/outbox';
import type { Transactions } from '@castiron/transactions';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { ACME, SharingRig } from '../testing/sharing.rig.js';
import { recordMessage } from './compose-record.js';
import { LaneJournal, journalMessage, JournalUnread } from './lane-journal.js';
import { LaneLeases, type Lane } from './lane-leases.js';
import { LaneWorker } from './lane-worker.js';
import type { SendingRow } from './outcome.js';
import { prepareBatch, type PreparedBatch } from './prepare-batch.js';
import { releaseBatch, type ReleasedBatch } from './release-batch.js';
import { Releaser } from './releaser.js';
import { settleAborted } from './settle-aborted.js';

let rig: SharingRig;
let partner: string;

beforeAll(async () => {
  rig = new SharingRig(
    await freshDatabase([...migrations, ...outboxMigrations]),
    inject('stack').kafka,
    'takeover-spec',
  );
  await rig.publishStatement();
  partner = uniqueSlug();
  await rig.register({ slug: partner, name: 'Northern Hosting', kind: 'network-member' });
  await rig.agree(partner, [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    { purpose: 'service-delivery', attributes: ['companyName'], ground: 'permission' },
  ]);
});
afterAll(() => rig?.database.destroy());

/** Lets an owner work the lanes until the effect is there. */
async function workUntil(effect: () => Promise<void>): Promise<void> {
  const owner = rig.lanes();
  await owner.start();
  await eventually(effect).finally(() => owner.stop());
}
const version = (customer: string, wanted: number) => async () =>
  expect(await rig.versionOf(customer, partner)).toBe(wanted);

async function permitted(): Promise<string> {
  const customer = randomUUID();
  await rig.profile(customer, 1, ACME);
  await rig.permit(customer, partner);
  return customer;
}

interface Step {
  readonly lane: Lane;
  readonly prepared: PreparedBatch;
}

/** What an owner does up to its release, by hand, so that things can happen between the steps. */
async function prepare(customer: string): Promise<Step> {
  const own = (await rig.shareOf(customer, partner))?.lane;
  const lane = (await new LaneLeases(rig.database, randomUUID()).claimFree()).find((one) => one.lane === own);
  if (lane === undefined) throw new Error('the lane is held by another owner');
  const broken = (_share: string, error: unknown): never => {
    throw error;
  };
  return { lane, prepared: await prepareBatch(rig.database, lane.lane, rig.laneParts.keys, broken) };
}
const release = ({ lane, prepared }: Step): Promise<ReleasedBatch> =>
  releaseBatch(rig.transactions, lane, prepared.records);

async function send({ lane }: Step, { batch, records }: ReleasedBatch): Promise<void> {
  const { kafka, transactionalId } = rig.laneParts;
  const producer = kafka.transactionalProducer(transactionalId!(lane.lane));
  await producer.open();
  await producer.send(
    records.map(({ prepared, index }) => recordMessage(prepared, index)),
    [journalMessage(lane.lane, lane.token, batch)],
  );
  await producer.close();
}
/** Its leases run out at once. */
const die = (): Promise<unknown> => rig.database.query(`UPDATE feed_lanes SET lease_until = '-infinity'`);

async function entriesOf(customer: string): Promise<string[]> {
  const rows: { kind: string }[] = await rig.database.query(
    'SELECT e.kind FROM share_entries e JOIN shares s ON s.id = e.share WHERE s.customer = $1 ORDER BY e.index',
    [customer],
  );
  return rows.map(({ kind }) => kind);
}
async function pendingOf(customer: string): Promise<number> {
  const rows: unknown[] = await rig.database.query(
    'SELECT 1 FROM pending_releases p JOIN shares s ON s.id = p.share WHERE s.customer = $1',
    [customer],
  );
  return rows.length;
}

describe('between deciding and sending', () => {
  it('what is no longer allowed is withheld, and said so in the ledger', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    expect(await rig.revoke(customer, partner)).toBe(true);
    expect((await release(step)).records).toEqual([]);
    expect(await entriesOf(customer)).toEqual(['withheld']);
    // Its rows wait on, for whatever is allowed instead.
    expect(await pendingOf(customer)).toBe(2);
    await die();
    await workUntil(async () => expect(await pendingOf(customer)).toBe(0));
    expect(await rig.feedOf(customer, partner)).toEqual([]);
  });

  it('what has changed is decided anew, though all of it would still be allowed', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    await rig.profile(customer, 2, { ...ACME, companyName: 'Acme Two' });
    expect((await release(step)).records).toEqual([]);
    expect(await entriesOf(customer)).toEqual([]);
    expect(await pendingOf(customer)).toBe(2);
    await die();
    await workUntil(version(customer, 1));
    const [record] = await rig.feedOf(customer, partner);
    expect(record?.attributes.companyName?.value).toBe('Acme Two');
  });

  it('a permission revoked and given anew is another one', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    await rig.revoke(customer, partner);
    await rig.permit(customer, partner);
    expect((await release(step)).records).toEqual([]);
    await die();
    await workUntil(version(customer, 1));
  });

  it('an owner that lost its lane releases nothing', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    await die();
    await expect(release(step)).rejects.toThrow(/another owner/);
    await workUntil(version(customer, 1));
  });
});

describe('a lane', () => {
  it("is taken over where the database's clock was set back since its owner died", async () => {
    await rig.database.query(
      `UPDATE feed_lanes SET owner = gen_random_uuid(), lease_until = clock_timestamp() + interval '1 hour'`,
    );
    expect(await new LaneLeases(rig.database, randomUUID()).claimFree()).toHaveLength(16);
    await die();
  });

  it('is let go of at a stop, though its broker is silent in the middle of a send', async () => {
    const { kafka } = rig.laneParts;
    const silent = {
      ...kafka,
      transactionalProducer: (id: string) => {
        const producer = kafka.transactionalProducer(id);
        const given = new AbortController();
        return {
          open: () => producer.open(),
          send: () =>
            new Promise<void>((_, reject) => given.signal.addEventListener('abort', () => reject(new Error('closed')))),
          close: () => {
            given.abort();
            return producer.close();
          },
        };
      },
    };
    const customer = await permitted();
    const owner = new Releaser({ ...rig.laneParts, kafka: silent });
    await owner.start();
    await eventually(async () => expect(await rig.database.query('SELECT 1 FROM sending_records')).toHaveLength(1));
    await owner.stop();
    expect(await new LaneLeases(rig.database, randomUUID()).claimFree()).toHaveLength(16);
    await die();
    await workUntil(version(customer, 2));
  });
});

describe('what a dead owner left sending', () => {
  it('is settled as sent where the journal has its batch', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    await send(step, await release(step));
    await die();
    await workUntil(version(customer, 1));
    expect(await entriesOf(customer)).toEqual(['released']);
    expect(await rig.feedOf(customer, partner)).toHaveLength(1);
  });

  it('is settled as aborted where it has not: the version is spent, and what is allowed is repeated', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    expect((await release(step)).records).toHaveLength(1);
    expect(await pendingOf(customer)).toBe(0);
    await die();
    await workUntil(version(customer, 2));
    expect(await entriesOf(customer)).toEqual(['released', 'aborted', 'released']);
    expect((await rig.feedOf(customer, partner)).map((record) => record?.version)).toEqual([2]);
  });

  it('narrowed a purpose: the recipient is told of its end all the same', async () => {
    const customer = await permitted();
    await rig.permit(customer, partner, 'service-delivery');
    await workUntil(version(customer, 1));
    await rig.revoke(customer, partner);
    const step = await prepare(customer);
    await release(step);
    await die();
    await workUntil(version(customer, 3));
    const told: unknown[] = await rig.database.query(
      'SELECT o.attributes, o.purposes FROM obligations o JOIN shares s ON s.id = o.share WHERE s.customer = $1',
      [customer],
    );
    expect(told).toEqual([
      { attributes: ['email'], purposes: [{ purpose: 'recommendation', attributes: ['companyName'] }] },
    ]);
  });

  it('is settled as aborted in the order in which all others lock shares, so that none waits for one that waits for it', async () => {
    const customers = [await permitted(), await permitted()];
    for (const customer of customers) {
      await release(await prepare(customer));
      await die();
    }
    await rig.database.query('UPDATE sending_records SET batch = $1', [randomUUID()]);
    const rows: SendingRow[] = await rig.database.query(
      'SELECT share, lane, token, batch, entry, agreement, outcome FROM sending_records ORDER BY share DESC',
    );
    const [last, first] = rows;
    const settling = await rig.database.transaction(async (other) => {
      await other.query('SELECT FROM shares WHERE id = $1 FOR NO KEY UPDATE', [first!.share]);
      const settled = settleAborted(rig.database, rig.transactions, rig.signals, rows);
      await eventually(async () => {
        const waiting: unknown[] = await rig.database.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        expect(waiting).toHaveLength(1);
      });
      // Whoever has the first may have the last too.
      await other.query('SELECT FROM shares WHERE id = $1 FOR NO KEY UPDATE NOWAIT', [last!.share]);
      return { settled };
    });
    await settling.settled;
    for (const customer of customers) await workUntil(version(customer, 2));
  });

  it('is not touched by a former owner that comes back: it may be on its way', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    await release(step);
    const former = new LaneWorker({ ...step.lane, token: step.lane.token - 1n }, rig.laneParts);
    // What is on its way is in no share yet, so that nothing seems to be there to take back.
    const revoking = rig.revoke(customer, partner);
    await eventually(async () => expect(await pendingOf(customer)).toBe(1));
    await former.step();
    await former.close();
    const rows: unknown[] = await rig.database.query('SELECT 1 FROM sending_records');
    expect(rows).toHaveLength(1);
    expect(await pendingOf(customer)).toBe(1);
    await die();
    await workUntil(version(customer, 2));
    await revoking;
  });

  it('is found out about by its own owner, where the release had no answer', async () => {
    const customer = await permitted();
    const { lane } = await prepare(customer);
    const transactions = Object.create(rig.transactions) as Transactions;
    let answers = false;
    transactions.run = async (keys, work) => {
      const result = await rig.transactions.run(keys, work);
      if (!answers) throw new Error('no answer');
      return result;
    };
    const owner = new LaneWorker(lane, { ...rig.laneParts, transactions });
    await expect(owner.step()).rejects.toThrow('no answer');
    answers = true;
    await rig.profile(customer, 2, { ...ACME, companyName: 'Acme Two' });
    while (await owner.step());
    await owner.close();
    await die();
    expect(await entriesOf(customer)).toEqual(['released', 'aborted', 'released']);
    await version(customer, 2)();
  });
});

describe('an owner whose lease runs out in the middle of its work', () => {
  it('works the lane on with the claim that it makes anew, and with that one alone', async () => {
    const lane = 3;
    // Of shares that are not there: they need no record, and fill more than a page.
    await rig.database.query(
      `INSERT INTO pending_releases (lane, share, cause)
       SELECT $1, gen_random_uuid(), 'profile-changed' FROM generate_series(1, 450)`,
      [lane],
    );
    let claimed = (): void => undefined;
    const claimedAnew = new Promise<void>((resolve) => (claimed = resolve));
    let claims = 0;
    let lapsed = false;
    const dataSource = Object.create(rig.database) as typeof rig.database;
    dataSource.query = async <T>(query: string, parameters?: unknown[]): Promise<T> => {
      if (query.startsWith('DELETE FROM pending_releases') && !lapsed) {
        lapsed = true;
        await die();
        rig.signals.tell('claim');
        await claimedAnew;
      }
      const result = await rig.database.query<T>(query, parameters);
      if (query.includes('token = token + 1') && (claims += 1) === 2) claimed();
      return result;
    };
    const opened: number[] = [];
    const transactionalId = (one: number): string => {
      opened.push(one);
      return rig.laneParts.transactionalId!(one);
    };
    const owner = new Releaser({ ...rig.laneParts, dataSource, transactionalId });
    await owner.start();
    await eventually(() => rig.isQuiet()).finally(() => owner.stop());
    expect(lapsed).toBe(true);
    expect(
      opened.filter((one) => one === lane),
      'one producer each',
    ).toHaveLength(2);
  });
});

describe('an owner that had no answer to its claim', () => {
  it('works the lanes that it has', async () => {
    const customer = await permitted();
    const dataSource = Object.create(rig.database) as typeof rig.database;
    let claims = 0;
    dataSource.query = async <T>(query: string, parameters?: unknown[]): Promise<T> => {
      const result = await rig.database.query<T>(query, parameters);
      if (query.includes('token = token + 1') && (claims += 1) === 1) throw new Error('no answer');
      return result;
    };
    const owner = new Releaser({ ...rig.laneParts, dataSource });
    await owner.start();
    await eventually(version(customer, 1)).finally(() => owner.stop());
  });
});

describe('a transaction that stays open on the journal', () => {
  it('holds up its own lane and no other, and that one only until it ends', async () => {
    const { bootstrap, principals } = inject('stack').kafka;
    const held = await permitted();
    let other = await permitted();
    while ((await rig.shareOf(other, partner))?.lane === (await rig.shareOf(held, partner))?.lane)
      other = await permitted();
    const another = await prepare(other);
    await send(another, await release(another));
    await die();
    const step = await prepare(held);
    const released = await release(step);
    const before = journalMessage(step.lane.lane, step.lane.token, randomUUID());
    const open = await openTransaction({ brokers: [bootstrap], ...principals['admin']! }, [before]);
    await send(step, released);
    await die();
    const owner = rig.lanes();
    await owner.start();
    try {
      await eventually(version(other, 1), { within: 20_000 });
      const journal = new LaneJournal(rig.laneParts.kafka, 1_000);
      await expect(journal.batchesSent(step.lane.lane, new AbortController().signal)).rejects.toThrow(JournalUnread);
      expect(await rig.versionOf(held, partner)).toBe(0);
      await open.abort();
      await eventually(version(held, 1), { within: 20_000 });
    } finally {
      await owner.stop();
    }
    expect(await entriesOf(held), 'what was sent is not taken for aborted').toEqual(['released']);
  }, 90_000);
});

describe('where customers are told', () => {
  beforeAll(() => rig.registerNotifier());

  it('an owner that could not settle what it sent finds out by itself what became of it', async () => {
    const customer = randomUUID();
    rig.outboxFails = false;
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner);
    const owner = rig.lanes();
    rig.outboxFails = true;
    await owner.start();
    try {
      // The welcome cannot be published, so the record is on the feed and not settled.
      await eventually(async () => expect(await rig.feedOf(customer, 'notifications')).toHaveLength(1));
      expect(await rig.versionOf(customer, 'notifications')).toBe(0);
      rig.outboxFails = false;
      await eventually(async () => expect(await rig.versionOf(customer, 'notifications')).toBe(1));
      await eventually(() => rig.isQuiet());
      expect(await rig.feedOf(customer, 'notifications')).toHaveLength(1);
    } finally {
      rig.outboxFails = false;
      await owner.stop();
    }
  });

  it('a customer of whom the first record was settled as aborted is told that sharing has started, once, and ended', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    await release(step);
    await die();
    await workUntil(version(customer, 2));
    await workUntil(async () => expect(await rig.versionOf(customer, 'notifications')).toBeGreaterThan(0));
    await rig.revoke(customer, partner);
    await workUntil(version(customer, 3));
    const share = await rig.shareOf(customer, 'notifications');
    const notices = await rig.published('duties.notice-due.v1', 'notifications');
    const kinds = notices.filter(({ subject }) => subject === share?.subject).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind !== 'welcome')).toEqual(['sharing-started', 'sharing-ended']);
    expect(kinds).toContain('welcome');
  });
});
