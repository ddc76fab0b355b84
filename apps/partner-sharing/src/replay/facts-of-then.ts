import type { Leaf } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';
import type { AgreementFacts, Facts } from '../confidentiality/facts.js';
import { agreementOf, type Agreement } from '../agreements/agreement.table.js';
import type { DecidedOn } from '../release/decided-on.js';
import { recipientOf } from '../recipients/recipient.table.js';

/** Terms never change; what state they were in tells the epoch, which each change of it raises. */
function asOf(agreement: Agreement, epoch: string): AgreementFacts {
  const { id, from, until, highestTier, purposes } = agreement;
  const ended = agreement.state === 'terminated' && BigInt(epoch) >= BigInt(agreement.epoch);
  const state = ended ? 'terminated' : agreement.enteredAt === null || epoch === '0' ? 'drafted' : 'in-force';
  return { id, state, from, until, highestTier, purposes };
}

/**
 * The facts that an entry was decided on, by what bears witness to them: agreements, registrations and the histories of
 * permissions and objections, each at the version it had; of the customer what was kept beside the entry.
 * @throws Refused not-found where the recipient or agreement that the entry names is none of ours
 */
export async function factsOfThen(
  manager: EntityManager,
  { recipient: slug, agreement }: Pick<Leaf, 'recipient' | 'agreement'>,
  customer: string,
  { agreementEpoch, permissions, objections, customer: then }: DecidedOn,
): Promise<Facts> {
  const recipient = await recipientOf(manager, slug);
  const signed = agreement === null || agreementEpoch === null ? null : await agreementOf(manager, agreement);
  const permitted: { states: Facts['permissions'] | null }[] = await manager.query(
    `SELECT jsonb_object_agg(h.purpose, h.state) AS states FROM jsonb_each_text($3) AS v
     JOIN permission_history h ON h.purpose = v.key AND h.version = v.value::int
     WHERE h.customer = $1 AND h.recipient = $2`,
    [customer, slug, permissions],
  );
  const objected: { purpose: Facts['objections'][number] }[] = await manager.query(
    `SELECT h.purpose FROM jsonb_each_text($3) AS v
     JOIN objection_history h ON h.purpose = v.key AND h.version = v.value::int
     WHERE h.customer = $1 AND h.recipient = $2 AND h.state = 'standing'`,
    [customer, slug, objections],
  );
  return {
    recipient: { slug, kind: recipient.kind, registeredPurposes: recipient.purposes ?? [] },
    agreement: signed === null || signed.recipient !== slug ? null : asOf(signed, agreementEpoch ?? '0'),
    customer: { erased: false, door: then.door, purposes: then.purposes, held: then.held },
    permissions: permitted[0]?.states ?? {},
    objections: objected.map(({ purpose }) => purpose),
  };
}
