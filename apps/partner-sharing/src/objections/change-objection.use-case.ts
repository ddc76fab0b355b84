import { isPurpose, objectionChanged } from '@castiron/contracts';
import { Refused, valueOf } from '@castiron/failures';
import type { Transactions, Tx } from '@castiron/transactions';
import { addCommand, type Command } from '../commands/command.table.js';
import { raiseEpoch } from '../epochs/epoch-locks.js';
import { refusePurpose } from '../permissions/grant-permission/grant-permission.decision.js';
import { permissionOf } from '../permissions/permission.table.js';
import { revokeWithin } from '../permissions/revoke-permission/revoke-permission.use-case.js';
import { orderOfObjection, orderOfPermission } from '../publications.js';
import { recipientOf } from '../recipients/recipient.table.js';
import type { ReleaseSignals } from '../release/release-signals.js';
import { makePending, makeShares } from '../shares/make-shares.js';
import { objectionTo, storeObjection, type Objection, type ObjectionTo } from './objection.table.js';

/** As it comes from outside. */
type Named = Readonly<Record<keyof ObjectionTo, string>>;

/** Objections to cooperation (P13): once one stands, nothing goes to the recipient for the purpose without a permission. */
export class ChangeObjectionUseCase {
  constructor(
    private readonly transactions: Transactions,
    private readonly signals: ReleaseSignals,
  ) {}

  /**
   * A permission for the same is revoked with it: who objects does not mean that it may go on otherwise.
   * @returns what to wait for before it can be said that nothing of it goes any more (G2)
   */
  object(named: Named): Promise<{ objection: Objection; command: Command }> {
    const { customer, recipient } = named;
    return this.run(named, async (tx, to) => {
      const { manager } = tx;
      const known = await objectionTo(manager, to);
      // A share that is yet to be made could be released beside us: it must be there to be locked.
      await makeShares(manager, [{ customer, recipient }]);
      const rows: { id: string }[] = await manager.query(
        'SELECT id FROM shares WHERE customer = $1 AND recipient = $2',
        [customer, recipient],
      );
      const share = rows[0]?.id ?? '';
      const permission = await permissionOf(manager, customer, recipient, to.purpose);
      if (permission?.state === 'granted') await revokeWithin(tx, to, this.signals);
      // Where it stands already, nothing changes, and the answer waits for the fence of now all the same.
      const epoch = await raiseEpoch(manager, 'share', share);
      const isStanding = known?.state === 'standing';
      if (!isStanding) await makePending(manager, [share], 'objection-changed');
      const objection = isStanding ? known : await this.store(tx, to, known, 'standing');
      const kind = 'objection';
      return {
        objection,
        command: await addCommand(manager, { kind, customer, scope: 'share', target: share, epoch }),
      };
    });
  }

  /**
   * The cooperation may go on; a permission that was revoked stays so.
   * @throws Refused not-found where there is no objection
   */
  withdraw(named: Named): Promise<Objection> {
    const { customer, recipient } = named;
    return this.run(named, async (tx, to) => {
      const known = await objectionTo(tx.manager, to);
      if (known === undefined)
        throw new Refused({ kind: 'not-found', code: 'no-such-objection', detail: 'There is no such objection.' });
      if (known.state === 'withdrawn') return known;
      const objection = await this.store(tx, to, known, 'withdrawn');
      const rows: { id: string }[] = await tx.manager.query(
        'SELECT id FROM shares WHERE customer = $1 AND recipient = $2',
        [customer, recipient],
      );
      await makePending(
        tx.manager,
        rows.map(({ id }) => id),
        'objection-changed',
      );
      return objection;
    });
  }

  private run<T>(named: Named, work: (tx: Tx, to: ObjectionTo) => Promise<T>): Promise<T> {
    const { customer, recipient, purpose } = named;
    const keys = [orderOfObjection(customer, recipient, purpose), orderOfPermission(customer, recipient, purpose)];
    return this.transactions.run(keys, async (tx) => {
      const to: ObjectionTo = {
        customer,
        recipient,
        purpose: isPurpose(purpose) ? purpose : valueOf(refusePurpose()),
      };
      const { kind } = await recipientOf(tx.manager, recipient);
      if (kind === 'internal')
        throw new Refused({
          kind: 'conflict',
          code: 'no-cooperation',
          field: 'recipient',
          detail: 'Our own services do not rest on a cooperation with other companies.',
          promise: 'P13',
        });
      tx.afterCommit(() => this.signals.tell('pending'));
      return work(tx, to);
    });
  }

  private async store(
    tx: Tx,
    to: ObjectionTo,
    known: Objection | undefined,
    state: Objection['state'],
  ): Promise<Objection> {
    const objection: Objection = { ...to, state, version: (known?.version ?? 0) + 1, changedAt: new Date() };
    await storeObjection(tx.manager, objection);
    const { version, changedAt } = objection;
    tx.publish(
      objectionChanged,
      { ...to, state, version, at: changedAt.toISOString() },
      { reserved: state === 'standing' },
    );
    return objection;
  }
}
