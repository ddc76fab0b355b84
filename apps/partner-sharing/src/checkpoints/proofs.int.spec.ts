import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { newEventId } from '@castiron/contracts';
import {
  composeEntry,
  leafHash,
  noteVerifier,
  parseLogProof,
  randomSalts,
  verifyLogProof,
  type Leaf,
} from '@castiron/ledger';
import { mintToken } from '@castiron/local-stack';
import { outboxMigrations } from '@castiron/outbox';
import { idempotencyMigrations } from '@castiron/service';
import { freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { appendEntries } from '../ledger/append-entries.js';
import { keepShareEntries } from '../release/share-entry.table.js';
import { makeShares } from '../shares/make-shares.js';
import { officer, partnerOf, RoutesRig, type Who } from '../testing/routes.rig.js';
import { signNextCheckpoint } from './sign-checkpoint.js';

const [ONE, OTHER] = ['northern-hosting', 'southern-hosting'] as const;

let rig: RoutesRig;
beforeAll(async () => {
  const database = await freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]);
  const stack = inject('stack');
  rig = new RoutesRig(database, stack, (who) => mintToken(stack.identity, ...who), uniqueSlug);
  await rig.start();
  await database.query(
    `INSERT INTO recipients (slug, name, kind) SELECT slug, slug, 'third-party' FROM unnest($1::text[]) AS slug`,
    [[ONE, OTHER]],
  );
  await sign();
});
afterAll(() => rig?.stop());

/** A disclosure about a customer to a recipient, as a release leaves it behind. */
async function disclosed(customer: string, recipient: string): Promise<Leaf> {
  const draft = {
    id: newEventId(),
    kind: 'released',
    at: new Date(),
    recipient,
    recordId: newEventId(),
    version: 1,
    agreement: randomUUID(),
    policyVersion: '1',
    subject: randomUUID(),
    attributes: { companyName: { purposes: [{ purpose: 'security', ground: 'permission' }], value: 'Acme' } },
  } as const;
  const entry = composeEntry(draft, randomSalts());
  await rig.database.transaction(async (manager) => {
    await makeShares(manager, [{ customer, recipient }]);
    const [share]: [{ id: string }] = await manager.query(
      'SELECT id FROM shares WHERE customer = $1 AND recipient = $2',
      [customer, recipient],
    );
    const [appended] = await appendEntries(manager, [entry]);
    await keepShareEntries(manager, [{ share: share.id, leaf: entry.leaf, index: appended!.index }]);
  });
  return entry.leaf;
}

async function sign(): Promise<void> {
  while (await signNextCheckpoint(rig.transactions, rig.signer));
}

const [customer, another] = [randomUUID(), randomUUID()];
let leaf: Leaf;
beforeEach(async () => {
  await disclosed(another, OTHER);
  leaf = await disclosed(customer, ONE);
});

const ofCustomer = (id: string, as: Who, whose = customer) =>
  rig.call('GET', `/customers/${whose}/disclosures/${id}/proof`, as);
const ofRecipient = (id: string, as: Who, whose: string = ONE) =>
  rig.call('GET', `/recipients/${whose}/entries/${id}/proof`, as);

const isCustomer = (id: string): Who => ['customer', id];
const MISSING = { status: 404, body: { code: 'no-such-entry' } };

describe('the proof of a disclosure', () => {
  it('is there for its customer, its recipient, and the staff, once a head is signed that has it', async () => {
    const asked = [
      () => ofCustomer(leaf.id, isCustomer(customer)),
      () => ofCustomer(leaf.id, ['support', 'support-1']),
      () => ofRecipient(leaf.id, partnerOf(ONE)),
      () => ofRecipient(leaf.id, ['auditor', 'auditor-1']),
    ];
    const unsigned = { status: 503, body: { code: 'not-signed-yet' } };
    for (const ask of asked) expect(await ask()).toMatchObject(unsigned);
    await sign();
    for (const ask of asked) {
      const { status, text } = await ask();
      expect(status).toBe(200);
      const { extra } = parseLogProof(text);
      expect(JSON.parse(String(extra))).toEqual(leaf);
      expect(verifyLogProof(text, leafHash(extra!), noteVerifier(rig.signer.verifierKey))).toBe(1);
    }
  });

  it('is nothing to anybody else, and an entry of others looks like none', async () => {
    await sign();
    const others = await disclosed(another, OTHER);
    await sign();
    expect(await ofCustomer(leaf.id, isCustomer(another), another)).toMatchObject(MISSING);
    expect(await ofCustomer(others.id, isCustomer(customer))).toMatchObject(MISSING);
    expect(await ofCustomer(others.id, officer)).toMatchObject(MISSING);
    expect(await ofRecipient(others.id, partnerOf(ONE))).toMatchObject(MISSING);
    expect(await ofRecipient(others.id, partnerOf(ONE), OTHER)).toMatchObject(MISSING);
    expect(await ofRecipient(others.id, officer)).toMatchObject(MISSING);
    expect(await ofCustomer(randomUUID(), isCustomer(customer))).toMatchObject(MISSING);
    expect(await ofRecipient(randomUUID(), partnerOf(ONE))).toMatchObject(MISSING);
  });

  it('is asked for as oneself, and with the role', async () => {
    await sign();
    expect((await ofCustomer(leaf.id, isCustomer(another))).status).toBe(403);
    expect((await ofCustomer(leaf.id, partnerOf(ONE))).status).toBe(403);
    expect((await ofRecipient(leaf.id, isCustomer(customer))).status).toBe(403);
    expect((await ofRecipient(leaf.id, ['support', 'support-1'])).status).toBe(403);
    expect((await ofRecipient('1', partnerOf(ONE))).status).toBe(400);
  });

  it('that is not signed yet is no more of an answer to others', async () => {
    expect(await ofCustomer(leaf.id, isCustomer(another), another)).toMatchObject(MISSING);
    expect(await ofRecipient(leaf.id, partnerOf(OTHER), OTHER)).toMatchObject(MISSING);
  });
});

describe('deciding an entry again', () => {
  it('is for privacy officers and auditors', async () => {
    const path = `/ledger/entries/${leaf.id}/replay`;
    for (const as of [officer, ['auditor', 'auditor-1']] as const)
      expect(await rig.call('GET', path, as)).toMatchObject({
        status: 200,
        body: { entry: leaf.id, recipient: ONE, answer: 'not-replayable', because: 'not-kept' },
      });
    for (const as of [['support', 'support-1'], isCustomer(customer), partnerOf(ONE), ['service', 'portal']] as const)
      expect((await rig.call('GET', path, as)).status).toBe(403);
    expect(await rig.call('GET', `/ledger/entries/${randomUUID()}/replay`, officer)).toMatchObject(MISSING);
    expect((await rig.call('GET', '/ledger/entries/1/replay', officer)).status).toBe(400);
  });
});
