import type { EntryKind, Leaf } from '@castiron/ledger';
import type { DataSource } from 'typeorm';
import { POLICY_VERSION } from '../confidentiality/decision.js';
import type { DecidedOn } from '../release/decided-on.js';
import { factsOfThen } from './facts-of-then.js';
import { judgeEntry, type Difference } from './judge-entry.decision.js';

/** An entry decided again (G3, P10). */
export interface Replay {
  readonly entry: string;
  readonly kind: EntryKind;
  readonly at: string;
  readonly recipient: string;
  /**
   * `other-policy`: it was made under another version of the clauses, and `differences` is what they say otherwise today.
   * `not-replayable`: see `because`.
   */
  readonly answer: 'same' | 'differs' | 'other-policy' | 'not-replayable';
  /**
   * `erased`: what it was decided on went with the customer. `not-kept`: it is nowhere, so the entry is older than this is
   * kept, or no release made it. `no-decision`: it only reports what became of the entry `of`.
   */
  readonly because?: 'erased' | 'not-kept' | 'no-decision';
  readonly of?: string;
  readonly policyVersion: { readonly ofEntry: string; readonly now: string };
  /** None unless decided. */
  readonly differences: readonly Difference[];
}

interface Kept {
  readonly customer: string;
  readonly erased: boolean;
  readonly decidedOn: DecidedOn | null;
}

/** Decides an entry of the ledger again, from what is kept. */
export class ReplayEntry {
  constructor(private readonly dataSource: DataSource) {}

  /** undefined where the ledger has no such entry. */
  async of(entry: string): Promise<Replay | undefined> {
    const leaves: { leaf: string }[] = await this.dataSource.query('SELECT leaf FROM ledger_entries WHERE id = $1', [
      entry,
    ]);
    const [found] = leaves;
    if (found === undefined) return undefined;
    const leaf = JSON.parse(found.leaf) as Leaf;
    const { kind, at, recipient, policyVersion } = leaf;
    const versions = { ofEntry: policyVersion, now: POLICY_VERSION };
    return { entry, kind, at, recipient, policyVersion: versions, differences: [], ...(await this.judge(entry, leaf)) };
  }

  private async judge(entry: string, leaf: Leaf): Promise<Pick<Replay, 'answer'> & Partial<Replay>> {
    const answer = 'not-replayable';
    if (leaf.kind === 'aborted')
      return { answer, because: 'no-decision', ...(leaf.of !== undefined && { of: leaf.of }) };
    const kept = await this.keptOf(entry, leaf.recipient);
    if (kept?.erased === true) return { answer, because: 'erased' };
    if (kept === undefined || kept.decidedOn === null) return { answer, because: 'not-kept' };
    const facts = await factsOfThen(this.dataSource.manager, leaf, kept.customer, kept.decidedOn);
    const differences = judgeEntry(leaf, facts);
    if (leaf.policyVersion !== POLICY_VERSION) return { answer: 'other-policy', differences };
    return { answer: differences.length === 0 ? 'same' : 'differs', differences };
  }

  private async keptOf(entry: string, recipient: string): Promise<Kept | undefined> {
    const rows: Kept[] = await this.dataSource.query(
      `SELECT s.customer, e.decided_on AS "decidedOn",
         EXISTS (SELECT FROM erased_customers WHERE id = s.customer)
           OR EXISTS (SELECT FROM customers WHERE id = s.customer AND deleted) AS erased
       FROM share_entries e JOIN shares s ON s.id = e.share WHERE e.entry = $1 AND s.recipient = $2`,
      [entry, recipient],
    );
    return rows[0];
  }
}
