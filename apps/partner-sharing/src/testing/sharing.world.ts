import { randomUUID } from 'node:crypto';
import type { AttributeName, PurposeName } from '@castiron/contracts';
import { Refused } from '@castiron/failures';
import type { Leaf } from '@castiron/ledger';
import { Comparison, type Entry, type ShareOf } from './sharing.comparison.js';
import {
  allowedBy,
  History,
  type ModelledRecipient,
  type Person,
  type Said,
  type Terms,
  type While,
} from './sharing.model.js';
import type { SharingRig } from './sharing.rig.js';

interface OfShare {
  readonly kind: 'permit' | 'revoke' | 'object' | 'withdraw-objection';
  readonly customer: number;
  readonly recipient: number;
  readonly purpose: PurposeName;
}

type OfProfile =
  | { readonly kind: 'profile'; readonly customer: number; readonly attributes: readonly AttributeName[] }
  | { readonly kind: 'erase'; readonly customer: number };

type OfAgreement =
  | { readonly kind: 'terminate'; readonly recipient: number }
  | { readonly kind: 'agree'; readonly recipient: number; readonly terms: NonNullable<Terms> };

/** What somebody does; customers and recipients by their number. */
export type Step = OfShare | OfProfile | OfAgreement;

type Door = 'service-order' | 'subscription';

interface Modelled {
  readonly slug: string;
  readonly of: ModelledRecipient;
  readonly terms: History<Terms>;
  /** The agreement in force. */
  agreement: string | undefined;
}

interface ModelledCustomer {
  readonly id: string;
  readonly door: Door;
  readonly person: History<Person>;
  /** By recipient. */
  readonly said: ReadonlyMap<string, History<Said>>;
  version: number;
}

/** Customers and recipients, what is done to them, and the model of what may come of it. */
export class SharingWorld {
  private readonly customers: readonly ModelledCustomer[];
  private readonly recipients: readonly Modelled[];
  private clock = 0;
  /** Steps that were not refused. */
  taken = 0;

  /** @param recipients registered, and without an agreement */
  constructor(
    private readonly rig: SharingRig,
    recipients: readonly ModelledRecipient[],
    doors: readonly Door[],
  ) {
    this.recipients = recipients.map((of) => ({
      slug: of.slug,
      of,
      terms: new History<Terms>(null),
      agreement: undefined,
    }));
    this.customers = doors.map((door) => ({
      id: randomUUID(),
      door,
      person: new History<Person>({ door, erased: false, values: undefined }),
      said: new Map(recipients.map(({ slug }) => [slug, new History<Said>({ permissions: {}, objections: [] })])),
      version: 0,
    }));
  }

  /** What is done by or to one of them in order, all of them beside each other. */
  async take(steps: readonly Step[]): Promise<void> {
    const turns = new Map<string, Step[]>();
    for (const step of steps) {
      const whose = 'customer' in step ? `customer ${step.customer}` : `recipient ${step.recipient}`;
      turns.set(whose, [...(turns.get(whose) ?? []), step]);
    }
    await Promise.all(
      [...turns.values()].map(async (turn) => {
        for (const step of turn) await this.step(step);
      }),
    );
  }

  private async step(step: Step): Promise<void> {
    try {
      await this.carryOut(step);
      this.taken += 1;
    } catch (error) {
      // What is refused changes nothing.
      if (!(error instanceof Refused)) throw error;
    }
  }

  private carryOut(step: Step): Promise<void> {
    if (!('customer' in step)) return this.ofAgreement(step, at(this.recipients, step.recipient));
    const customer = at(this.customers, step.customer);
    if (!('recipient' in step)) return this.ofProfile(step, customer);
    return this.ofShare(step, customer, at(this.recipients, step.recipient).slug);
  }

  private async ofProfile(step: OfProfile, customer: ModelledCustomer): Promise<void> {
    const { id, door, person, said } = customer;
    const was = person.last;
    if (step.kind === 'erase') {
      const during = await this.during(() => this.rig.erase(id));
      person.changeFenced({ ...was, erased: true }, during);
      return fenceAll(said.values(), during);
    }
    const version = (customer.version += 1);
    const values = Object.fromEntries(step.attributes.map((name) => [name, `${name} ${version}`]));
    const during = await this.during(() => this.rig.profile(id, version, values, door));
    // One that comes after an erasure is not let in.
    if (was.erased) return;
    person.changeFenced({ ...was, values }, during);
    fenceAll(said.values(), during);
  }

  private async ofShare({ kind, purpose }: OfShare, { id, said }: ModelledCustomer, slug: string): Promise<void> {
    const { rig } = this;
    const history = said.get(slug);
    if (history === undefined) throw new Error('a step for nobody');
    const { permissions, objections } = history.last;
    const others = objections.filter((one) => one !== purpose);
    const revoked = { ...permissions, [purpose]: 'revoked' as const };
    switch (kind) {
      case 'permit': {
        const during = await this.during(() => rig.permit(id, slug, purpose));
        return history.change({ objections, permissions: { ...permissions, [purpose]: 'granted' } }, during);
      }
      case 'withdraw-objection': {
        const during = await this.during(() => rig.withdrawObjection(id, slug, purpose));
        return history.change({ permissions, objections: others }, during);
      }
      case 'revoke': {
        const during = await this.during(() => rig.revoke(id, slug, purpose));
        // Once more it changes nothing, and so fences nothing.
        if (permissions[purpose] !== 'revoked') history.changeFenced({ objections, permissions: revoked }, during);
        return;
      }
      case 'object': {
        const during = await this.during(() => rig.object(id, slug, purpose));
        // Who objects takes back what was permitted.
        const left = permissions[purpose] === 'granted' ? revoked : permissions;
        return history.changeFenced({ permissions: left, objections: [...others, purpose] }, during);
      }
    }
  }

  private async ofAgreement(step: OfAgreement, recipient: Modelled): Promise<void> {
    const { slug, terms, agreement } = recipient;
    const ends = step.kind === 'terminate';
    if (ends !== (agreement !== undefined)) return;
    const during = await this.during(async () => {
      if (agreement !== undefined) await this.rig.terminate(agreement);
      recipient.agreement = ends ? undefined : await this.rig.agree(slug, step.terms);
    });
    // Nothing is fenced from saying less: what was decided without it may still be released once it is in force.
    if (!ends) return terms.change(step.terms, during);
    terms.changeFenced(null, during);
    fenceAll(
      this.customers.flatMap(({ said }) => said.get(slug) ?? []),
      during,
    );
  }

  private async during(command: () => Promise<unknown>): Promise<While> {
    const began = (this.clock += 1);
    const before = await this.sizeOfLedger();
    await command();
    const after = await this.sizeOfLedger();
    return { began, before, after, ended: (this.clock += 1) };
  }

  private async sizeOfLedger(): Promise<bigint> {
    const [head]: [{ size: string }] = await this.rig.database.query('SELECT size FROM ledger_head');
    return BigInt(head.size);
  }

  /**
   * Compares feeds and ledger with the model, once nothing is under way.
   * @returns how many records were joined to their entries, and what is wrong: nothing
   */
  async compare(): Promise<{ readonly records: number; readonly wrong: readonly string[] }> {
    await this.settle();
    const shares = await this.shares();
    const entries = await this.entries();
    const comparison = new Comparison(this, shares, entries);
    for (const { slug, of } of this.recipients) {
      // The house's own feeds have records of other specs.
      const mine = of.kind === 'internal' ? { has: (subject: string) => shares.has(subject) } : NO_TICK;
      for await (const found of this.rig.readFeed(slug, mine)) comparison.add(slug, found);
    }
    return comparison.end();
  }

  /** What is under way no more cannot be released later. */
  private async settle(): Promise<void> {
    const settled = await this.during(() => Promise.resolve());
    const histories = [
      ...this.recipients.map(({ terms }) => terms),
      ...this.customers.flatMap(({ said }) => [...said.values()]),
    ];
    for (const history of histories) history.fence(settled);
  }

  /** What an entry may carry: of each state that it may have been decided on. */
  mayCarry(share: ShareOf, entry: bigint): readonly string[] {
    const { person, said, terms, of } = this.modelOf(share);
    return person
      .at(entry)
      .flatMap((gave) =>
        said.at(entry).flatMap((told) => terms.at(entry).map((one) => allowedBy(gave, told, one, of))),
      );
  }

  /** What a feed is to carry when all is settled. */
  carries(share: ShareOf): string {
    const { person, said, terms, of } = this.modelOf(share);
    return allowedBy(person.last, said.last, terms.last, of);
  }

  private modelOf({ customer, recipient }: ShareOf) {
    const to = this.recipients.find(({ slug }) => slug === recipient);
    const from = this.customers.find(({ id }) => id === customer);
    const said = from?.said.get(recipient);
    if (to === undefined || from === undefined || said === undefined) throw new Error('a share that is not modelled');
    return { person: from.person, said, terms: to.terms, of: to.of };
  }

  /** By subject. */
  private async shares(): Promise<ReadonlyMap<string, ShareOf>> {
    const rows: (ShareOf & { subject: string })[] = await this.rig.database.query(
      'SELECT subject, customer, recipient FROM shares WHERE customer = ANY($1::uuid[])',
      [this.customers.map(({ id }) => id)],
    );
    return new Map(rows.map(({ subject, ...share }) => [subject, share]));
  }

  /** Of these customers, by id. */
  async entries(): Promise<ReadonlyMap<string, Entry>> {
    const rows: { index: string; leaf: string }[] = await this.rig.database.query(
      `SELECT l.index, l.leaf FROM ledger_entries l JOIN share_entries e ON e.entry = l.id
       JOIN shares s ON s.id = e.share WHERE s.customer = ANY($1::uuid[]) ORDER BY l.index`,
      [this.customers.map(({ id }) => id)],
    );
    return new Map(
      rows.map(({ index, leaf }) => {
        const parsed = JSON.parse(leaf) as Leaf;
        return [parsed.id, { index: BigInt(index), leaf: parsed }];
      }),
    );
  }
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error('a step for nobody');
  return found;
}

function fenceAll(histories: Iterable<History<Said>>, during: While): void {
  for (const history of histories) history.fence(during);
}

const NO_TICK = { has: (subject: string) => subject !== '~tick' };
