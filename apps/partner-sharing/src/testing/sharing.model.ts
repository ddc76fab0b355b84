import { DOORS, type AttributeName, type DoorName, type RecipientKind } from '@castiron/contracts';
import { mayGo } from '../confidentiality/decide-share.oracle.js';
import type { AgreedPurpose, Facts, ListedPurpose } from '../confidentiality/facts.js';

/** What a customer gave. */
export interface Person {
  readonly door: DoorName;
  readonly erased: boolean;
  /** undefined before the profile arrived. */
  readonly values: Readonly<Partial<Record<AttributeName, string>>> | undefined;
}

/** What a customer told a recipient. */
export type Said = Pick<Facts, 'permissions' | 'objections'>;

/** What a recipient's agreement in force lists; null where none is. */
export type Terms = readonly AgreedPurpose[] | null;

export interface ModelledRecipient {
  readonly slug: string;
  readonly kind: RecipientKind;
  readonly registered: readonly ListedPurpose[];
}

/** When a command was carried out: in entries that the ledger had, and as steps of the model are counted. */
export interface While {
  readonly before: bigint;
  readonly after: bigint;
  readonly began: number;
  readonly ended: number;
}

interface Past<State> {
  readonly state: State;
  /** The first entry that may have been decided on it. */
  readonly from: bigint;
  /** When another one took its place. */
  replaced: number | undefined;
  /** The first entry that cannot have been; undefined as long as there is none. */
  until: bigint | undefined;
}

/** The states that something had, each with the entries that may have been decided on it. */
export class History<State> {
  private readonly past: [Past<State>, ...Past<State>[]];

  constructor(first: State) {
    this.past = [{ state: first, from: 0n, replaced: undefined, until: undefined }];
  }

  get last(): State {
    return (this.past.at(-1) ?? this.past[0]).state;
  }

  /** What was decided on the state before may still be released, whenever that is: until a fence. */
  change(state: State, { before, ended }: While): void {
    const last = this.past.at(-1);
    if (last !== undefined) last.replaced = ended;
    this.past.push({ state, from: before, replaced: undefined, until: undefined });
  }

  /** Of what was decided before a command, nothing is released once that is answered (G2). */
  fence({ began, after }: While): void {
    for (const one of this.past) if (one.replaced !== undefined && one.replaced < began) one.until ??= after;
  }

  /** Both: the command itself ends what was before. */
  changeFenced(state: State, during: While): void {
    this.change(state, during);
    this.fence({ ...during, began: during.ended + 1 });
  }

  at(entry: bigint): readonly State[] {
    return this.past
      .filter(({ from, until }) => from <= entry && (until === undefined || entry < until))
      .map(({ state }) => state);
  }
}

const FOREVER = { from: new Date(0), until: new Date('2100-01-01T00:00:00Z') };

/** What a feed may carry of a person: `attribute=value for purpose by ground`, sorted. Decided by the oracle alone. */
export function allowedBy(
  { door, erased, values }: Person,
  said: Said,
  terms: Terms,
  { slug, kind, registered }: ModelledRecipient,
): string {
  if (values === undefined) return '';
  const facts: Facts = {
    recipient: { slug, kind, registeredPurposes: registered },
    agreement:
      terms === null ? null : { id: '', state: 'in-force', ...FOREVER, highestTier: 'confidential', purposes: terms },
    customer: { erased, door, purposes: DOORS[door], held: Object.keys(values) as AttributeName[] },
    ...said,
  };
  return mayGo(facts, new Date())
    .map((one) => one.replace(/^\w+/, (name) => `${name}=${values[name as AttributeName] ?? ''}`))
    .sort()
    .join('; ');
}
