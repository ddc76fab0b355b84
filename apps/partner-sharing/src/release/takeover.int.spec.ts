import { randomUUID } from 'node:crypto';
import { connect } from '@castiron/kafka';
import { Valve } from '@castiron/kafka/testing/valve';
import { outboxMigrations } from '@castiron/outbox';
import type { Transactions } from '@castiron/transactions';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { ACME, SharingRig } from '../testing/sharing.rig.js';
import { recordMessage } from './compose-record.js';
import { FeedEnds } from './feed-ends.js';
import { LaneLeases, type Lane } from './lane-leases.js';
import { LaneWorker } from './lane-worker.js';
import type { SendingRow } from './outcome.js';
import { prepareBatch, type PreparedBatch } from './prepare-batch.js';
import { releaseBatch, type ReleasedBatch } from './release-batch.js';
import { Releaser } from './releaser.js';
import { settleAborted } from './settle-aborted.js';

let rig: SharingRig;
let partner: string;
let feedEnds: FeedEnds;
const SEND_WITHIN_MS = 2_000;

beforeAll(async () => {
  rig = new SharingRig(
    await freshDatabase([...migrations, ...outboxMigrations]),
    inject('stack').kafka,
    'takeover-spec',
  );
  feedEnds = new FeedEnds(rig.laneParts.kafka);
  await rig.publishStatement();
  partner = uniqueSlug();
  await rig.register({ slug: partner, name: 'Northern Hosting', kind: 'network-member' });
  await rig.agree(partner, [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    { purpose: 'service-delivery', attributes: ['companyName'], ground: 'permission' },
  ]);
});
afterAll(async () => {
  await feedEnds?.close();
  await rig?.database.destroy();
});

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

/** Two customers whose shares one owner releases together. */
async function ofOneLane(): Promise<[string, string]> {
  const one = await permitted();
  for (;;) {
    const other = await permitted();
    const [mine, theirs] = [await rig.shareOf(one, partner), await rig.shareOf(other, partner)];
    if (mine?.lane === theirs?.lane) return [one, other];
  }
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
  const sources = { keys: rig.laneParts.keys, feedEnds };
  return { lane, prepared: await prepareBatch(rig.database, lane.lane, sources, broken) };
}
const release = ({ lane, prepared }: Step): Promise<ReleasedBatch> =>
  releaseBatch(rig.transactions, lane, prepared.records);

async function send({ lane }: Step, { records }: Pick<ReleasedBatch, 'records'>): Promise<void> {
  const { kafka, producerName } = rig.laneParts;
  const producer = kafka.fencedProducer(producerName!(lane.lane));
  await producer.open();
  await producer.send(records.map(({ prepared, index }) => recordMessage(prepared, index)));
  await producer.close();
}
/** Its leases run out at once. */
const die = (): Promise<unknown> => rig.database.query(`UPDATE feed_lanes SET lease_until = '-infinity'`);

/** Their kinds, and of aborted ones whether they may have reached somebody. */
async function entriesOf(customer: string): Promise<string[]> {
  const rows: { kind: string }[] = await rig.database.query(
    `SELECT concat_ws(' ', l.kind, l.leaf::jsonb->>'reached') AS kind FROM share_entries e
     JOIN shares s ON s.id = e.share JOIN ledger_entries l ON l.index = e.index WHERE s.customer = $1 ORDER BY e.index`,
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

describe('a release under way', () => {
  it('holds off a takeover of its lane, and not the renewal of its lease', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    const own = step.lane.lane;
    const successor = new LaneLeases(rig.database, randomUUID());
    const lanesOf = (lanes: readonly Lane[]): number[] => lanes.map(({ lane }) => lane);
    const releasing = await rig.database.transaction(async (manager) => {
      await manager.query('SELECT FROM ledger_head FOR UPDATE');
      const waiting = release(step);
      await eventually(async () =>
        expect(await rig.database.query('SELECT FROM pg_locks WHERE NOT granted')).not.toEqual([]),
      );
      const renewed = await new LaneLeases(rig.database, step.lane.owner).renew();
      expect(lanesOf(renewed)).toContain(own);
      await die();
      expect(lanesOf(await successor.claimFree())).not.toContain(own);
      return { waiting };
    });
    expect((await releasing.waiting).records).toHaveLength(1);
    expect(lanesOf(await successor.claimFree())).toContain(own);
    await die();
    await workUntil(version(customer, 2));
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
      fencedProducer: (name: string) => {
        const producer = kafka.fencedProducer(name);
        const given = new AbortController();
        return {
          open: () => producer.open(),
          send: () =>
            new Promise<never>((_, reject) =>
              given.signal.addEventListener('abort', () => reject(new Error('closed'))),
            ),
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
  it('is settled as sent where it stands on its feed', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    await send(step, await release(step));
    await die();
    await workUntil(version(customer, 1));
    expect(await entriesOf(customer)).toEqual(['released']);
    expect(await rig.feedOf(customer, partner)).toHaveLength(1);
  });

  it('is settled as aborted where it does not: the version is spent, and what is allowed is sent under the next', async () => {
    const customer = await permitted();
    const step = await prepare(customer);
    expect((await release(step)).records).toHaveLength(1);
    expect(await pendingOf(customer)).toBe(0);
    await die();
    await workUntil(version(customer, 2));
    expect(await entriesOf(customer)).toEqual(['released', 'aborted no', 'released']);
    expect((await rig.feedOf(customer, partner)).map((record) => record?.version)).toEqual([2]);
  });

  it('is settled record by record where some of it was sent', async () => {
    const [one, other] = await ofOneLane();
    const step = await prepare(one);
    const { records } = await release(step);
    expect(records).toHaveLength(2);
    await send(step, { records: records.filter(({ prepared }) => prepared.share.customer === one) });
    await die();
    await workUntil(version(other, 2));
    expect(await entriesOf(one)).toEqual(['released']);
    expect(await entriesOf(other)).toEqual(['released', 'aborted no', 'released']);
  });

  it('counts as disclosed where nobody can tell any more', async () => {
    const customer = await permitted();
    await release(await prepare(customer));
    // As if its feed had been cut off since behind what it begins with.
    await rig.database.query(
      `UPDATE sending_records SET outcome = jsonb_set(outcome, '{feedEnds}', '["9007199254740993", "9007199254740993"]')`,
    );
    await die();
    await workUntil(version(customer, 2));
    expect(await entriesOf(customer)).toEqual(['released', 'aborted maybe', 'released']);
    expect((await rig.feedOf(customer, partner)).map((record) => record?.version)).toEqual([2]);
  });

  it('is followed by a withdrawal where it may have been seen and is no longer allowed, and by nothing where it was not', async () => {
    const [seen, unseen] = [await permitted(), await permitted()];
    for (const customer of [seen, unseen]) {
      await release(await prepare(customer));
      await die();
    }
    await rig.database.query(
      `UPDATE sending_records SET outcome = outcome - 'feedEnds' WHERE customer = $1`, // as a former version left it
      [seen],
    );
    const revoked = [rig.revoke(seen, partner), rig.revoke(unseen, partner)];
    await workUntil(async () => expect(await rig.isQuiet()).toBe(true));
    expect(await Promise.all(revoked)).toEqual([true, true]);
    expect(await entriesOf(seen)).toEqual(['released', 'aborted maybe', 'withdrawn']);
    expect(await entriesOf(unseen)).toEqual(['released', 'aborted no']);
    expect(await rig.feedOf(unseen, partner)).toEqual([]);
  });

  it('cannot arrive any more once it is settled: bytes that were held up in the network are refused', async () => {
    const { bootstrap, principals } = inject('stack').kafka;
    const valve = await Valve.open(bootstrap);
    try {
      valve.through = true;
      const customer = await permitted();
      const step = await prepare(customer);
      const released = await release(step);
      const { username, password } = principals['admin']!;
      const former = connect({ brokers: [bootstrap], clientId: 'former', username, password }).fencedProducer(
        rig.laneParts.producerName!(step.lane.lane),
      );
      await former.open();
      valve.state = 'held';
      const late = former.send(released.records.map(({ prepared, index }) => recordMessage(prepared, index))).then(
        () => 'sent',
        () => 'refused',
      );
      await eventually(() => expect(valve.holds).toBe(true));
      valve.through = false;
      await die();
      const revoked = rig.revoke(customer, partner);
      await workUntil(async () => expect(await rig.database.query('SELECT FROM sending_records')).toEqual([]));
      expect(await revoked).toBe(true);
      valve.state = 'open';
      expect(await late).toBe('refused');
      await former.close();
      expect(await rig.feedOf(customer, partner)).toEqual([]);
    } finally {
      await valve.close();
    }
  });

  it('waits for a feed that cannot be written, and what is known of other feeds is settled', async () => {
    const another = uniqueSlug();
    await rig.register({ slug: another, name: 'Southern Mail', kind: 'network-member' });
    await rig.agree(another, [{ purpose: 'recommendation', attributes: ['email'], ground: 'permission' }]);
    const customer = await permitted();
    await rig.permit(customer, another);
    // In one lane, so that one owner has both in doubt.
    const own = (await rig.shareOf(customer, partner))!.lane;
    await rig.database.query('UPDATE shares SET lane = $1 WHERE customer = $2', [own, customer]);
    await rig.database.query(
      'UPDATE pending_releases SET lane = $1 WHERE share IN (SELECT id FROM shares WHERE customer = $2)',
      [own, customer],
    );
    await release(await prepare(customer));
    await rig.database.query(
      `UPDATE sending_records SET outcome = jsonb_set(outcome, '{recipient}', '"gone-from-the-broker"')
       WHERE outcome->>'recipient' = $1`,
      [another],
    );
    await die();
    await workUntil(async () => expect(await entriesOf(customer)).toContain('aborted no'));
    const left: unknown[] = await rig.database.query(`SELECT outcome->>'recipient' AS recipient FROM sending_records`);
    expect(left).toEqual([{ recipient: 'gone-from-the-broker' }]);
    await rig.database.query(
      `UPDATE sending_records SET outcome = jsonb_set(outcome, '{recipient}', to_jsonb($1::text))`,
      [another],
    );
    await workUntil(async () => expect(await rig.isQuiet()).toBe(true));
    expect(await rig.versionOf(customer, another)).toBe(2);
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
    const rows: SendingRow[] = await rig.database.query(
      'SELECT share, lane, token, batch, entry, agreement, outcome FROM sending_records ORDER BY share DESC',
    );
    const [last, first] = rows;
    const settling = await rig.database.transaction(async (other) => {
      await other.query('SELECT FROM shares WHERE id = $1 FOR NO KEY UPDATE', [first!.share]);
      const settled = settleAborted(rig.database, rig.transactions, rig.signals, rows, 'no');
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
    const former = new LaneWorker(
      { ...step.lane, token: step.lane.token - 1n },
      rig.laneParts,
      feedEnds,
      SEND_WITHIN_MS,
    );
    // What is on its way is in no share yet, so that nothing seems to be there to take back.
    const revoking = rig.revoke(customer, partner);
    await eventually(async () => expect(await pendingOf(customer)).toBe(1));
    await former.step();
    await former.close();
    const rows: unknown[] = await rig.database.query('SELECT 1 FROM sending_records');
    expect(rows).toHaveLength(1);
    expect(await pendingOf(customer)).toBe(1);
    await die();
    await workUntil(version(customer, 1));
    await revoking;
    expect(await entriesOf(customer)).toEqual(['released', 'aborted no']);
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
    const owner = new LaneWorker(lane, { ...rig.laneParts, transactions }, feedEnds, SEND_WITHIN_MS);
    await expect(owner.step()).rejects.toThrow('no answer');
    answers = true;
    await rig.profile(customer, 2, { ...ACME, companyName: 'Acme Two' });
    while (await owner.step());
    await owner.close();
    await die();
    expect(await entriesOf(customer)).toEqual(['released', 'aborted no', 'released']);
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
    const producerName = (one: number): string => {
      opened.push(one);
      return rig.laneParts.producerName!(one);
    };
    const owner = new Releaser({ ...rig.laneParts, dataSource, producerName });
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

  it.each(['not sent', 'perhaps sent'])(
    'a customer of whom the first record was %s is told that sharing has started, once, and ended',
    async (how) => {
      const customer = await permitted();
      const step = await prepare(customer);
      await release(step);
      if (how === 'perhaps sent') await rig.database.query(`UPDATE sending_records SET outcome = outcome - 'feedEnds'`);
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
    },
  );
});
