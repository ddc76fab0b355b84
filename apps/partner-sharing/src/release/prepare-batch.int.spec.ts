import { randomUUID } from 'node:crypto';
import { MAX_MESSAGE_BYTES } from '@castiron/contracts';
import { outboxMigrations } from '@castiron/outbox';
import { freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { migrations } from '../database/migrations.js';
import { SharingRig } from '../testing/sharing.rig.js';
import { recordMessage } from './compose-record.js';
import { prepareBatch } from './prepare-batch.js';

const LANE = 3;

let database: DataSource;
beforeAll(async () => {
  database = await freshDatabase([...migrations, ...outboxMigrations]);
});
afterAll(() => database?.destroy());

/** Of any feed. */
const feedEnds = {
  of: (slugs: Iterable<string>) => Promise.resolve(new Map([...slugs].map((slug) => [slug, [0n, 0n]]))),
};

/** Rows of shares that are gone, which preparing answers. */
const pend = (count: number): Promise<unknown> =>
  database.query(
    `INSERT INTO pending_releases (lane, share, cause) SELECT $1, gen_random_uuid(), 'profile-changed' FROM generate_series(1, $2)`,
    [LANE, count],
  );

describe('a lane', () => {
  it('gives what was put off its turn, however much came since', async () => {
    const share = randomUUID();
    const [put]: { id: string }[] = await database.query(
      `INSERT INTO pending_releases (lane, share, cause, not_before) VALUES ($1, $2, 'profile-changed', clock_timestamp()) RETURNING id`,
      [LANE, share],
    );
    await pend(1_000);
    const keys = { keysOf: () => Promise.resolve(new Map()) };
    const { answered, full } = await prepareBatch(database, LANE, { keys, feedEnds }, () => undefined);
    expect(full).toBe(true);
    expect(answered).toContain(put!.id);
  });

  it('takes no more of what is large than its partition does at once, and leaves the rest for its next turn', async () => {
    await database.query('DELETE FROM pending_releases');
    const rig = new SharingRig(database, inject('stack').kafka, 'prepare-batch-spec');
    await rig.publishStatement();
    const recipient = uniqueSlug();
    await rig.register({ slug: recipient, name: 'Northern Hosting', kind: 'network-member' });
    await rig.agree(recipient, [{ purpose: 'recommendation', attributes: ['servicesUsed'], ground: 'permission' }]);
    const customers = Array.from({ length: 12 }, () => randomUUID());
    for (const customer of customers) {
      // Three bytes of UTF-8 each.
      await rig.profile(customer, 1, { servicesUsed: '漢'.repeat(40_000) });
      await rig.permit(customer, recipient);
    }
    await database.query('UPDATE pending_releases SET lane = $1', [LANE]);
    const { keys } = rig.laneParts;
    const { records, full } = await prepareBatch(database, LANE, { keys, feedEnds }, () => undefined);
    const bytes = records.map((record) => Buffer.byteLength(recordMessage(record, 1n).value ?? ''));
    const total = bytes.reduce((sum, one) => sum + one, 0);
    expect(total).toBeLessThan(MAX_MESSAGE_BYTES);
    expect(total).toBeGreaterThan(MAX_MESSAGE_BYTES / 2);
    expect(full).toBe(true);
    const away = { keys: { keysOf: () => Promise.reject(new Error('away')) }, feedEnds };
    const { postponed } = await prepareBatch(database, LANE, away, () => undefined);
    // In one statement, however many wait for the same.
    expect(postponed).toHaveLength(1);
    expect(postponed[0]?.ids).toHaveLength(customers.length);
  });
});
