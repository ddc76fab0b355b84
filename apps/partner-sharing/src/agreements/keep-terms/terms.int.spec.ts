import 'reflect-metadata';
import { mintToken } from '@castiron/local-stack';
import { outboxMigrations } from '@castiron/outbox';
import { idempotencyMigrations } from '@castiron/service';
import { freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../../database/migrations.js';
import type { TerminateAgreementUseCase } from '../terminate-agreement/terminate-agreement.use-case.js';
import { TermKeeper } from './term-keeper.js';
import { inDays, officer, RoutesRig } from '../../testing/routes.rig.js';

let rig: RoutesRig;
beforeAll(async () => {
  const database = await freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]);
  const stack = inject('stack');
  rig = new RoutesRig(database, stack, (who) => mintToken(stack.identity, ...who), uniqueSlug);
  await rig.start();
});
afterAll(() => rig?.stop());

const failures: [agreement: string, error: unknown][] = [];
const keeperOf = (termination: Pick<TerminateAgreementUseCase, 'terminate'>) =>
  new TermKeeper(rig.database, rig.transactions, termination, rig.signals, (...failure) => failures.push(failure));

describe('the term of an agreement', () => {
  it('begins and ends by itself', async () => {
    const keeper = keeperOf(rig.termination);
    const recipient = await rig.newRecipient();
    const agreement = await rig.inForce(recipient, { from: inDays(1) });
    expect(await rig.sweepsOf(recipient)).toEqual([]);
    await keeper.keep();
    expect(await rig.sweepsOf(recipient)).toEqual([]);

    await rig.database.query(`UPDATE agreements SET valid_from = now() - interval '1 minute' WHERE id = $1`, [
      agreement,
    ]);
    await Promise.all([keeper.keep(), keeper.keep()]);
    await keeper.keep();
    expect(await rig.sweepsOf(recipient)).toEqual([{ kind: 'renew-shares', cause: 'agreement-in-force' }]);

    await rig.database.query('UPDATE agreements SET valid_until = now() WHERE id = $1', [agreement]);
    await Promise.all([keeper.keep(), keeper.keep()]);
    const ended = await rig.call('GET', `/agreements/${agreement}`, officer);
    expect(ended.body).toMatchObject({ state: 'terminated', epoch: 2, terminationReason: 'The term is over.' });
    expect((await rig.published(agreement)).filter(({ state }) => state === 'terminated')).toHaveLength(2);
  });

  it('that cannot be kept is told, and holds up no other', async () => {
    const [one, other] = [await rig.inForce(await rig.newRecipient()), await rig.inForce(await rig.newRecipient())];
    await rig.database.query('UPDATE agreements SET valid_until = now() WHERE id = ANY($1::uuid[])', [[one, other]]);
    const lost = new Error('the connection is gone');
    await keeperOf({
      terminate: (id, reason) => (id === one ? Promise.reject(lost) : rig.termination.terminate(id, reason)),
    }).keep();
    expect(failures).toEqual([[one, lost]]);
    expect((await rig.call('GET', `/agreements/${other}`, officer)).body).toMatchObject({ state: 'terminated' });
    await keeperOf(rig.termination).keep();
    expect((await rig.call('GET', `/agreements/${one}`, officer)).body).toMatchObject({ state: 'terminated' });
  });
});
