import 'reflect-metadata';
import { mintToken } from '@castiron/local-stack';
import { outboxMigrations } from '@castiron/outbox';
import { idempotencyMigrations } from '@castiron/service';
import { freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../../database/migrations.js';
import { officer, partnerOf, RoutesRig } from '../../testing/routes.rig.js';

let rig: RoutesRig;
beforeAll(async () => {
  const database = await freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]);
  const stack = inject('stack');
  rig = new RoutesRig(database, stack, (who) => mintToken(stack.identity, ...who), uniqueSlug);
  await rig.start();
});
afterAll(() => rig?.stop());

describe('an agreement', () => {
  it('is signed by each side for itself', async () => {
    const recipient = await rig.newRecipient();
    const agreement = await rig.drafted(recipient);
    for (const [side, as] of [
      ['partner', officer],
      ['company', partnerOf(recipient)],
      ['partner', partnerOf(await rig.newRecipient())],
    ] as const) {
      expect(await rig.sign(agreement, side, as)).toMatchObject({ status: 403, body: { promise: 'P8' } });
    }
    expect((await rig.sign(agreement, 'company', ['support', 'support-1'])).status).toBe(403);
    expect(await rig.sign(agreement, 'both', officer)).toMatchObject({ status: 400, body: { field: 'side' } });
  });

  it('answers the same when a side signs again', async () => {
    const recipient = await rig.newRecipient();
    const agreement = await rig.drafted(recipient);
    const first = await rig.sign(agreement, 'company', officer);
    expect(await rig.sign(agreement, 'company', ['privacy-officer', 'officer-2'])).toEqual(first);
    const entered = await rig.sign(agreement, 'partner', partnerOf(recipient));
    expect(await rig.sign(agreement, 'partner', partnerOf(recipient))).toEqual(entered);
    expect((await rig.published(agreement)).length).toBe(3);
  });

  it('does not enter into force, and tells nobody, while the topics of its recipient are missing', async () => {
    const recipient = await rig.newRecipient();
    const agreement = await rig.drafted(recipient);
    await rig.sign(agreement, 'company', officer);
    const told = (await rig.published(agreement)).length;
    const provisioned = (at: string) =>
      rig.database.query(`UPDATE recipients SET provisioned_at = ${at} WHERE slug = $1`, [recipient]);
    await provisioned('NULL');
    expect(await rig.sign(agreement, 'partner', partnerOf(recipient))).toMatchObject({
      status: 409,
      body: { code: 'recipient-not-provisioned', promise: 'P8' },
    });
    expect(await rig.published(agreement)).toHaveLength(told);
    await provisioned('now()');
    expect((await rig.sign(agreement, 'partner', partnerOf(recipient))).status).toBe(200);
  });

  it('is the only one in force, also where two are signed at once', async () => {
    const recipient = await rig.newRecipient();
    const agreements = [await rig.drafted(recipient), await rig.drafted(recipient), await rig.drafted(recipient)];
    for (const agreement of agreements) await rig.sign(agreement, 'company', officer);
    const answers = await Promise.all(
      agreements.map((agreement) => rig.sign(agreement, 'partner', partnerOf(recipient))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const winner = answers.find(({ status }) => status === 200)?.body['agreement'];
    const loser = answers.find(({ status }) => status === 409);
    expect(loser?.body).toMatchObject({ code: 'another-in-force', agreement: winner, promise: 'P8' });
    expect((await rig.terminate(String(winner))).status).toBe(200);
    const other = agreements.find((agreement) => agreement !== winner) ?? '';
    expect(await rig.sign(other, 'partner', partnerOf(recipient))).toMatchObject({
      status: 200,
      body: { state: 'in-force' },
    });
  });
});
