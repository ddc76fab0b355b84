import type { AttributeName, PurposeName } from '@castiron/contracts';
import { outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import fc from 'fast-check';
import { expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { ReplayEntry } from '../replay/replay-entry.query.js';
import type { ModelledRecipient, Terms } from '../testing/sharing.model.js';
import { SharingRig } from '../testing/sharing.rig.js';
import { SharingWorld, type Step } from '../testing/sharing.world.js';

const RUNS = 2;
/** Between them nothing is under way, and all is compared. */
const ROUNDS = 3;
const STEPS = 500;
const CUSTOMERS = 60;
const PARTNERS = 3;

const ATTRIBUTES: readonly AttributeName[] = ['companyName', 'domainNames', 'email', 'phone', 'servicesUsed'];
const PURPOSES: readonly PurposeName[] = ['recommendation', 'service-delivery', 'security', 'mailing'];

const OWN: ModelledRecipient = {
  slug: 'recommendations',
  kind: 'internal',
  registered: [
    { purpose: 'recommendation', attributes: ['companyName', 'email'] },
    { purpose: 'security', attributes: ['companyName', 'phone'] },
  ],
};

const TERMS: readonly NonNullable<Terms>[] = [
  [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    { purpose: 'service-delivery', attributes: ['companyName', 'domainNames'], ground: 'cooperation' },
    { purpose: 'security', attributes: ['companyName'], ground: 'cooperation' },
  ],
  [
    { purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'], ground: 'permission' },
    { purpose: 'mailing', attributes: ['email'], ground: 'permission' },
    { purpose: 'security', attributes: ['companyName', 'phone'], ground: 'cooperation' },
    { purpose: 'security', attributes: ['email'], ground: 'permission' },
  ],
];

const customer = fc.nat(CUSTOMERS - 1);
// The last one is our own.
const recipient = fc.nat(PARTNERS);
const partner = fc.nat(PARTNERS - 1);
const purpose = fc.constantFrom(...PURPOSES);
const said = <Kind extends 'permit' | 'revoke' | 'object' | 'withdraw-objection'>(kind: Kind) =>
  fc.record({ kind: fc.constant(kind), customer, recipient, purpose });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 48, arbitrary: said('permit') },
  { weight: 24, arbitrary: said('revoke') },
  { weight: 12, arbitrary: said('object') },
  { weight: 12, arbitrary: said('withdraw-objection') },
  {
    weight: 32,
    arbitrary: fc.record({ kind: fc.constant('profile'), customer, attributes: fc.subarray([...ATTRIBUTES]) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('agree'), recipient: partner, terms: fc.constantFrom(...TERMS) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('terminate'), recipient: partner }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase'), customer }) },
);
const steps = fc.array(step, { minLength: STEPS, maxLength: STEPS, size: 'max' });
const plan = fc.record({
  doors: fc.array(fc.constantFrom('service-order', 'service-order', 'subscription'), {
    minLength: CUSTOMERS,
    maxLength: CUSTOMERS,
  }),
  rounds: fc.array(steps, { minLength: ROUNDS, maxLength: ROUNDS, size: 'max' }),
});

/** Everybody is there, and every partner has an agreement. */
const OPENING: readonly Step[] = [
  ...Array.from({ length: PARTNERS }, (_, n) => ({ kind: 'agree', recipient: n, terms: TERMS[n % 2]! }) as const),
  ...Array.from({ length: CUSTOMERS }, (_, n) => ({ kind: 'profile', customer: n, attributes: ATTRIBUTES }) as const),
];

/** A service of its own, two of whose processes share the lanes. */
async function running<T>(work: (rig: SharingRig) => Promise<T>): Promise<T> {
  const rig = new SharingRig(await freshDatabase([...migrations, ...outboxMigrations]), inject('stack').kafka, 'model');
  const other = rig.lanes();
  try {
    await rig.publishStatement();
    await rig.start();
    await other.start();
    return await work(rig);
  } finally {
    await other.stop();
    await rig.stop();
    await rig.database.destroy();
  }
}

async function recipientsOf(rig: SharingRig): Promise<ModelledRecipient[]> {
  await rig.register({ slug: OWN.slug, name: 'Recommendations', kind: 'internal', purposes: [...OWN.registered] });
  const partners = Array.from({ length: PARTNERS }, async (_, n): Promise<ModelledRecipient> => {
    const [slug, kind] = [uniqueSlug(), n === 0 ? 'third-party' : 'network-member'] as const;
    await rig.register({ slug, name: `Partner ${n}`, kind });
    return { slug, kind, registered: [] };
  });
  return [...(await Promise.all(partners)), OWN];
}

/** Every entry is decided the same again, but for those of erased customers and those that tell of no decision. */
async function replayed(rig: SharingRig, world: SharingWorld): Promise<string[]> {
  const replaying = new ReplayEntry(rig.database);
  const wrong: string[] = [];
  for (const id of (await world.entries()).keys()) {
    const replay = await replaying.of(id);
    const fine = replay?.answer === 'same' || replay?.because === 'erased' || replay?.because === 'no-decision';
    if (!fine) wrong.push(`entry ${id}: ${JSON.stringify(replay)}`);
  }
  return wrong;
}

const firstOf = (wrong: readonly string[]): readonly string[] => wrong.slice(0, 5);

it(
  'every record on a feed has one entry that it opens and a ground that held when it was released, whatever happens',
  { timeout: 300_000 },
  async () => {
    const seen = { steps: 0, records: 0 };
    const property = fc.asyncProperty(fc.noShrink(plan), ({ doors, rounds }) =>
      running(async (rig) => {
        const world = new SharingWorld(rig, await recipientsOf(rig), doors);
        let records = 0;
        for (const round of [OPENING, ...rounds]) {
          await world.take(round);
          await eventually(async () => (await rig.hasSwept()) && rig.isQuiet(), { within: 30_000 });
          const compared = await world.compare();
          expect(firstOf(compared.wrong)).toEqual([]);
          records = compared.records;
        }
        expect(firstOf(await replayed(rig, world))).toEqual([]);
        seen.steps += world.taken;
        seen.records += records;
      }),
    );
    await fc.assert(property, {
      numRuns: RUNS,
      endOnFailure: true,
      // The steps are thousands; what made them is a number.
      asyncReporter: async ({ failed, seed, numRuns, errorInstance }) => {
        if (failed) throw new Error(`run ${numRuns} of seed ${seed}`, { cause: errorInstance });
      },
    });
    // It compares no nothing with nothing.
    expect(seen.steps).toBeGreaterThan((RUNS * ROUNDS * STEPS) / 3);
    expect(seen.records).toBeGreaterThan(seen.steps / 5);
  },
);
