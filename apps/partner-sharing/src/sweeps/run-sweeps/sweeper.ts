import type { DoorName, PurposeName } from '@castiron/contracts';
import type { Logger } from '@castiron/observability';
import type { Part } from '@castiron/service';
import type { Transactions, Tx } from '@castiron/transactions';
import { concerns, standingRecipients } from '../../profiles/audience.js';
import { orderOfSubscription, recordSubscription } from '../../profiles/subscription.js';
import { NOTIFIER } from '../../release/notices-of.decision.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { makePending, makePendingOfCustomers, makeShares, type PendingCause } from '../../shares/make-shares.js';

/** Also the most outbox keys that a chunk may need. */
const CHUNK = 200;
/** The net under the signal: what a process left that ended in the middle. */
const POLL_MS = 5_000;

interface OpenSweep {
  readonly id: string;
  readonly kind: 'make-shares' | 'renew-shares';
  readonly recipient: string;
  readonly cause: PendingCause;
  readonly position: string | null;
}

interface SweptCustomer {
  readonly id: string;
  readonly door: DoorName;
  readonly purposes: readonly PurposeName[];
  readonly registeredAt: Date;
  readonly statementVersion: number;
}

const NIL = '00000000-0000-0000-0000-000000000000';

/** Works through sweeps in the background, a chunk per transaction: ten million shares block nobody. */
export class Sweeper implements Part {
  readonly name = 'sweeps';
  private readonly loop: Part;

  constructor(
    private readonly transactions: Transactions,
    private readonly signals: ReleaseSignals,
    logger: Logger,
    /** Nothing that adds is begun while the outbox is full. */
    private readonly isFull: () => boolean = () => false,
  ) {
    this.loop = signals.whenever('sweep', POLL_MS, {
      name: this.name,
      work: () => this.chunk(),
      onError: (error) => logger.warn({ err: error }, 'a sweep could not go on'),
    });
  }

  start(): Promise<void> {
    return this.loop.start(() => undefined);
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** False where nothing is left to sweep. */
  async chunk(): Promise<boolean> {
    return this.transactions.run([], async (tx) => {
      const rows: OpenSweep[] = await tx.manager.query(
        `SELECT id, kind, recipient, cause, position FROM sweeps WHERE done_at IS NULL AND (cause = 'agreement-terminated' OR NOT $1)
         ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
        [this.isFull()],
      );
      const sweep = rows[0];
      if (sweep === undefined) return false;
      const last = sweep.kind === 'make-shares' ? await this.make(tx, sweep) : await this.renew(tx, sweep);
      await tx.manager.query(
        `UPDATE sweeps SET position = coalesce($2, position), done_at = CASE WHEN $2::uuid IS NULL THEN clock_timestamp() END WHERE id = $1`,
        [sweep.id, last ?? null],
      );
      tx.afterCommit(() => this.signals.tell('pending'));
      return true;
    });
  }

  /** The last customer of the chunk; undefined at the end. */
  private async make(tx: Tx, { recipient, position, cause }: OpenSweep): Promise<string | undefined> {
    const customers: SweptCustomer[] = await tx.manager.query(
      `SELECT id, door, purposes, registered_at AS "registeredAt", statement_version AS "statementVersion"
       FROM customers WHERE id > $1 AND NOT deleted ORDER BY id LIMIT $2`,
      [position ?? NIL, CHUNK],
    );
    const [standing] = await standingRecipients(tx.manager, recipient);
    if (standing === undefined) return undefined;
    if (recipient === NOTIFIER) await this.subscribe(tx, customers);
    const wanted = customers.filter((customer) => concerns(standing, customer)).map(({ id }) => id);
    await makeShares(
      tx.manager,
      wanted.map((customer) => ({ customer, recipient })),
    );
    await makePendingOfCustomers(tx.manager, wanted, cause, recipient);
    return customers.at(-1)?.id;
  }

  /** Those who subscribed before notifications was registered. */
  private async subscribe(tx: Tx, customers: readonly SweptCustomer[]): Promise<void> {
    const subscribers = customers.filter(({ door }) => door === 'subscription');
    tx.claim(subscribers.map(({ id }) => orderOfSubscription(id)));
    for (const { id, ...subscriber } of subscribers) await recordSubscription(tx, { customer: id, ...subscriber });
  }

  private async renew(tx: Tx, { recipient, position, cause }: OpenSweep): Promise<string | undefined> {
    const shares: { id: string }[] = await tx.manager.query(
      'SELECT id FROM shares WHERE recipient = $1 AND id > $2 ORDER BY id LIMIT $3',
      [recipient, position ?? NIL, CHUNK],
    );
    await makePending(
      tx.manager,
      shares.map(({ id }) => id),
      cause,
    );
    return shares.at(-1)?.id;
  }
}
