import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mintToken } from '@castiron/local-stack';
import { outboxMigrations } from '@castiron/outbox';
import { idempotencyMigrations } from '@castiron/service';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../../database/migrations.js';
import { lockEpochsShared } from '../../epochs/epoch-locks.js';
import { officer, partnerOf, RoutesRig, type Who } from '../../testing/routes.rig.js';

let rig: RoutesRig;
beforeAll(async () => {
  const database = await freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]);
  const stack = inject('stack');
  rig = new RoutesRig(database, stack, (who) => mintToken(stack.identity, ...who), uniqueSlug);
  await rig.start();
});
afterAll(() => rig?.stop());

describe('an agreement', () => {
  it('is terminated by either side, from in force only, and the answer names what is allowed', async () => {
    const recipient = await rig.newRecipient();
    const agreement = await rig.drafted(recipient);
    expect(await rig.terminate(agreement)).toMatchObject({
      status: 409,
      body: { state: 'drafted', allowed: ['in-force'], promise: 'P8' },
    });
    await rig.sign(agreement, 'company', officer);
    await rig.sign(agreement, 'partner', partnerOf(recipient));
    expect((await rig.terminate(agreement, partnerOf(await rig.newRecipient()))).status).toBe(403);
    expect((await rig.terminate(agreement, partnerOf(recipient))).status).toBe(200);
    expect(await rig.terminate(agreement)).toMatchObject({ status: 409, body: { state: 'terminated', allowed: [] } });
    expect(await rig.sign(agreement, 'company', officer)).toMatchObject({ status: 409, body: { allowed: [] } });
  });

  it('is terminated with 202 while a record decided under it is on its way', async () => {
    const recipient = await rig.newRecipient();
    const agreement = await rig.inForce(recipient);
    await rig.database.query(
      `INSERT INTO sending_records (share, lane, token, batch, entry, customer, agreement, agreement_epoch, customer_epoch, share_epoch, outcome)
       VALUES ($1, 0, 1, $1, $1, $1, $2, 1, 0, 0, '{}')`,
      [randomUUID(), agreement],
    );
    const answer = await rig.terminate(agreement, partnerOf(recipient));
    expect(answer).toMatchObject({ status: 202, body: { state: 'terminated' } });
    expect(answer.body['poll']).toBe(`/commands/${String(answer.body['command'])}`);
    const commands: unknown[] = await rig.database.query(
      'SELECT scope, target, epoch, done_at FROM commands WHERE id = $1',
      [answer.body['command']],
    );
    expect(commands).toEqual([{ scope: 'agreement', target: agreement, epoch: '2', done_at: null }]);

    const poll = (as: Who) => rig.call('GET', String(answer.body['poll']), as);
    expect((await poll(partnerOf(await rig.newRecipient()))).status).toBe(404);
    expect(await poll(partnerOf(recipient))).toMatchObject({ status: 200, body: { state: 'waiting' } });
    await rig.database.query('DELETE FROM sending_records WHERE agreement = $1', [agreement]);
    expect(await poll(partnerOf(recipient))).toMatchObject({ status: 200, body: { state: 'done' } });
  });

  it('waits for the releases under way before it can be ended', async () => {
    const agreement = await rig.inForce(await rig.newRecipient());
    let ended = false;
    let ending: Promise<unknown> = Promise.resolve();
    await rig.database.transaction(async (manager) => {
      await lockEpochsShared(manager, { agreement: [agreement], customer: [], share: [] });
      ending = rig.terminate(agreement).then(() => (ended = true));
      // Known to the database as waiting, so the test need not guess how long.
      await eventually(async () => {
        const waiting: unknown[] = await manager.query(
          `SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
           WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted`,
        );
        expect(waiting).not.toEqual([]);
      });
      expect(ended).toBe(false);
    });
    await ending;
    expect(ended).toBe(true);
  });
});
