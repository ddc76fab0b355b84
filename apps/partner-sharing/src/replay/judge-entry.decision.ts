import type { AttributeName, PurposeName } from '@castiron/contracts';
import type { Leaf } from '@castiron/ledger';
import { decideShare } from '../confidentiality/decide-share.decision.js';
import type { Decision } from '../confidentiality/decision.js';
import type { Facts } from '../confidentiality/facts.js';

/** Of one attribute and purpose, what an entry and the decision do not both say. */
export interface Difference {
  readonly attribute: string;
  readonly purpose: string;
  readonly ground: string;
  /** The one of the two that lets it go. */
  readonly allowedBy: 'entry' | 'decision';
  /** Why the decision does not, by clause; none where it does, or where nobody asked for it. */
  readonly refusals: readonly { readonly clause: string; readonly because: string }[];
}

type Allowed = Omit<Difference, 'allowedBy' | 'refusals'>;

const keyOf = ({ attribute, purpose, ground }: Allowed): string => `${attribute} ${purpose} ${ground}`;

const saidBy = ({ attributes }: Leaf): Allowed[] =>
  attributes.flatMap(({ name, purposes }) => purposes.map((one) => ({ attribute: name, ...one })));

const decided = ({ attributes }: Decision): Allowed[] =>
  (Object.keys(attributes) as AttributeName[]).flatMap((attribute) =>
    (attributes[attribute]?.purposes ?? []).map((one) => ({ attribute, ...one })),
  );

function without(all: readonly Allowed[], others: readonly Allowed[]): Allowed[] {
  const known = new Set(others.map(keyOf));
  return all.filter((one) => !known.has(keyOf(one)));
}

/**
 * Decides an entry again, on the facts that it was decided on and at its time, and says what comes out otherwise. Pure.
 * A record says exactly what is allowed; what was withheld is more than that.
 * @param leaf of any kind but `aborted`, which tells of no decision
 */
export function judgeEntry(leaf: Leaf, facts: Facts): readonly Difference[] {
  const decision = decideShare(facts, new Date(leaf.at));
  const [said, allowed] = [saidBy(leaf), decided(decision)];
  const groundless = without(said, allowed);
  const as = (allowedBy: Difference['allowedBy']) => (one: Allowed) => ({ ...one, allowedBy, refusals: [] });
  if (leaf.kind === 'withheld') return groundless.length > 0 ? [] : said.map(as('decision'));
  return [
    ...groundless.map((one) => ({ ...as('entry')(one), refusals: refusalsOf(decision, one) })),
    ...without(allowed, said).map(as('decision')),
  ];
}

const refusalsOf = ({ refusals }: Decision, of: Allowed): Difference['refusals'] =>
  refusals
    .filter(({ attribute, purpose }) => attribute === of.attribute && purpose === (of.purpose as PurposeName))
    .map(({ clause, detail }) => ({ clause, because: detail }));
