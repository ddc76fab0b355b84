import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mintToken } from '@castiron/local-stack';
import { outboxMigrations } from '@castiron/outbox';
import { idempotencyMigrations } from '@castiron/service';
import { freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { FOR_SECURITY, inDays, officer, partnerOf, RoutesRig, type Who } from '../testing/routes.rig.js';

let rig: RoutesRig;
beforeAll(async () => {
  const database = await freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]);
  const stack = inject('stack');
  rig = new RoutesRig(database, stack, (who) => mintToken(stack.identity, ...who), uniqueSlug);
  await rig.start();
});
afterAll(() => rig?.stop());

describe('an agreement', () => {
  it('is drafted, signed by both sides, and terminated, each time told to all', async () => {
    const recipient = await rig.newRecipient();
    const agreement = await rig.inForce(recipient);
    expect((await rig.call('GET', `/agreements/${agreement}`, officer)).body).toMatchObject({
      recipient,
      state: 'in-force',
      epoch: 1,
      terms: { purposes: [FOR_SECURITY], highestTier: 'confidential' },
      signatures: { company: { by: 'officer-1' }, partner: { by: recipient } },
    });
    expect(await rig.sweepsOf(recipient)).toEqual([{ kind: 'renew-shares', cause: 'agreement-in-force' }]);
    expect(await rig.terminate(agreement)).toMatchObject({
      status: 200,
      body: { state: 'terminated', epoch: 2, terminationReason: 'done' },
    });
    expect(await rig.published(agreement)).toEqual([
      { topic: 'sharing.agreements.v1', state: 'drafted', epoch: 0 },
      { topic: 'sharing.agreements.v1', state: 'in-force', epoch: 1 },
      { topic: `duties.${recipient}.v1`, state: 'in-force' },
      { topic: 'sharing.agreements.v1', state: 'terminated', epoch: 2 },
      { topic: `duties.${recipient}.v1`, state: 'terminated' },
    ]);
    expect(await rig.sweepsOf(recipient)).toContainEqual({ kind: 'renew-shares', cause: 'agreement-terminated' });
  });

  it('that lists cooperation has the shares of the network member made', async () => {
    const recipient = await rig.newRecipient('network-member');
    await rig.inForce(recipient, {
      purposes: [{ purpose: 'service-delivery', attributes: ['domainNames'], ground: 'cooperation' }],
    });
    expect((await rig.sweepsOf(recipient)).map(({ kind }) => kind)).toEqual(['make-shares', 'renew-shares']);
  });

  it('is named by its id in any spelling', async () => {
    const recipient = await rig.newRecipient();
    const agreement = await rig.inForce(recipient);
    expect(await rig.terminate(agreement.toUpperCase())).toMatchObject({ status: 200, body: { agreement } });
    expect((await rig.published(agreement)).length).toBe(5);
    expect(await rig.terminate('not-an-id')).toMatchObject({ status: 400, body: { field: 'path.id' } });
    expect((await rig.terminate(randomUUID())).status).toBe(404);
  });

  let known: string | undefined;
  it.each([
    ['no terms', undefined, 'terms', 'P8'],
    ['an unknown purpose', { purposes: [{ ...FOR_SECURITY, purpose: 'resale' }] }, 'terms.purposes.0.purpose', 'P8'],
    ['an unknown ground', { purposes: [{ ...FOR_SECURITY, ground: 'own-purpose' }] }, 'terms.purposes.0.ground', 'P13'],
    [
      'cooperation with a third party',
      { purposes: [{ ...FOR_SECURITY, ground: 'cooperation' }] },
      'terms.purposes.0.ground',
      'P13',
    ],
    ['an unknown tier', { highestTier: 'secret' }, 'terms.highestTier', 'P7'],
    ['a day for an instant', { from: '2026-01-01' }, 'terms.from', 'P8'],
    ['a date that is none', { from: '2026-02-31T00:00:00Z' }, 'terms.from', 'P8'],
    ['a year out of bounds', { until: '9999-01-01T00:00:00Z' }, 'terms.until', 'P8'],
    ['no day to delete in', { daysToDelete: 0 }, 'terms.daysToDelete', 'P8'],
    ['half a year to delete in', { daysToDelete: 180 }, 'terms.daysToDelete', 'P8'],
    ['a term backwards', { from: inDays(2), until: inDays(1) }, 'terms.until', 'P8'],
  ])('is refused with %s', async (_what, terms, field, promise) => {
    known ??= await rig.newRecipient();
    const recipient = known;
    const answer =
      terms === undefined
        ? await rig.call('POST', '/agreements', officer, { recipient })
        : await rig.draft(recipient, terms);
    expect(answer).toMatchObject({ status: 400, body: { field, promise } });
  });

  it('is refused for a recipient that nobody registered', async () => {
    expect(await rig.draft(uniqueSlug())).toMatchObject({ status: 400, body: { field: 'recipient', promise: 'P8' } });
  });

  it('is drafted once by a repeated request', async () => {
    const recipient = await rig.newRecipient();
    const [from, until] = [inDays(-1), inDays(1)];
    const headers = { 'idempotency-key': randomUUID() };
    const [first, second] = [
      await rig.draft(recipient, { from, until }, headers),
      await rig.draft(recipient, { from, until }, headers),
    ];
    expect(second).toEqual(first);
    expect((await rig.call('GET', `/agreements?recipient=${recipient}`, officer)).body['agreements']).toHaveLength(1);
  });

  it('is shown to staff, and to a partner only its own', async () => {
    const [recipient, other] = [await rig.newRecipient(), await rig.newRecipient()];
    const [own, foreign] = [await rig.drafted(recipient), await rig.drafted(other)];
    const listed = async (as: Who) =>
      ((await rig.call('GET', '/agreements', as)).body['agreements'] as { agreement: string }[]).map(
        ({ agreement }) => agreement,
      );
    expect(await listed(partnerOf(recipient))).toEqual([own]);
    expect(await listed(['auditor', 'auditor-1'])).toEqual(expect.arrayContaining([own, foreign]));
    expect((await rig.call('GET', `/agreements/${own}`, partnerOf(recipient))).status).toBe(200);
    expect((await rig.call('GET', `/agreements/${foreign}`, partnerOf(recipient))).status).toBe(404);
    expect(
      (await rig.call('GET', `/agreements?recipient=${other}`, partnerOf(recipient))).body['agreements'],
    ).toHaveLength(1);
    expect((await rig.call('GET', '/agreements', ['customer', randomUUID()])).status).toBe(403);
  });
});
