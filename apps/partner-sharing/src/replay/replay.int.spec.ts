import { randomUUID } from 'node:crypto';
import { newEventId } from '@castiron/contracts';
import { composeEntry, randomSalts, type EntryDraft, type Leaf } from '@castiron/ledger';
import { outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { POLICY_VERSION } from '../confidentiality/decision.js';
import { migrations } from '../database/migrations.js';
import { appendEntries } from '../ledger/append-entries.js';
import { keepShareEntries } from '../release/share-entry.table.js';
import { ACME, SharingRig } from '../testing/sharing.rig.js';
import { ReplayEntry, type Replay } from './replay-entry.query.js';

let rig: SharingRig;
let partner: string;
let replaying: ReplayEntry;

beforeAll(async () => {
  rig = new SharingRig(await freshDatabase([...migrations, ...outboxMigrations]), inject('stack').kafka, 'replay-spec');
  await rig.publishStatement();
  await rig.start();
  replaying = new ReplayEntry(rig.database);
  partner = uniqueSlug();
  await rig.register({ slug: partner, name: 'Northern Hosting', kind: 'network-member' });
  await rig.registerNotifier();
  await rig.agree(partner, [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    { purpose: 'service-delivery', attributes: ['companyName', 'domainNames'], ground: 'permission' },
    { purpose: 'security', attributes: ['companyName'], ground: 'cooperation' },
  ]);
});
afterAll(async () => {
  await rig?.stop();
  await rig?.database.destroy();
});

const settled = (customer: string, version: number, recipient = partner) =>
  eventually(async () => expect(await rig.versionOf(customer, recipient)).toBe(version));

/** The leaves of all entries about a customer and a recipient, in order. */
async function leavesOf(customer: string, recipient = partner): Promise<Leaf[]> {
  const rows: { leaf: string }[] = await rig.database.query(
    `SELECT l.leaf FROM share_entries e JOIN shares s ON s.id = e.share JOIN ledger_entries l ON l.id = e.entry
     WHERE s.customer = $1 AND s.recipient = $2 ORDER BY l.index`,
    [customer, recipient],
  );
  return rows.map(({ leaf }) => JSON.parse(leaf) as Leaf);
}

async function replays(customer: string, recipient = partner): Promise<Replay[]> {
  const leaves = await leavesOf(customer, recipient);
  return Promise.all(leaves.map(async ({ id }) => (await replaying.of(id))!));
}

const answersOf = async (customer: string): Promise<string[]> =>
  (await replays(customer)).map(({ kind, answer }) => `${kind} ${answer}`);

/** A customer whose record the partner has, by cooperation alone. */
async function shared(): Promise<string> {
  const customer = randomUUID();
  await rig.profile(customer, 1, ACME);
  await settled(customer, 1);
  return customer;
}

/** As somebody does who owns the database. */
const tamper = (statement: string, values: readonly unknown[]) =>
  rig.database.transaction(async (manager) => {
    await manager.query('SET LOCAL session_replication_role = replica');
    await manager.query(statement, [...values]);
  });

describe('an entry of the ledger', () => {
  it('is decided the same again, whatever has changed since', async () => {
    const customer = await shared();
    await rig.permit(customer, partner);
    await settled(customer, 2);
    await rig.profile(customer, 2, { ...ACME, companyName: 'Acme Two' });
    await settled(customer, 3);
    expect(await rig.revoke(customer, partner)).toBe(true);
    await settled(customer, 4);
    expect(await rig.object(customer, partner, 'security')).toBe(true);
    await settled(customer, 5);
    await rig.profile(customer, 3, { companyName: 'Acme Three' });
    await rig.permit(customer, partner, 'service-delivery');
    await settled(customer, 6);

    const all = await replays(customer);
    expect(all.map(({ kind, answer }) => `${kind} ${answer}`)).toEqual([
      ...Array(4).fill('released same'),
      'withdrawn same',
      'released same',
    ]);
    expect(all[0]).toMatchObject({ differences: [], policyVersion: { ofEntry: POLICY_VERSION, now: POLICY_VERSION } });
    // Of our own services too.
    expect((await replays(customer, 'notifications')).map(({ answer }) => answer)).toContain('same');
  });

  it('stays right where its agreement has ended, as does what was withdrawn then', async () => {
    const other = uniqueSlug();
    await rig.register({ slug: other, name: 'Southern Hosting', kind: 'network-member' });
    const purposes = [{ purpose: 'security', attributes: ['companyName'], ground: 'cooperation' }] as const;
    const agreement = await rig.agree(other, purposes);
    const customer = await shared();
    await settled(customer, 1, other);
    expect(await rig.terminate(agreement)).toBe(true);
    await settled(customer, 2, other);
    expect((await replays(customer, other)).map(({ kind, answer }) => `${kind} ${answer}`)).toEqual([
      'released same',
      'withdrawn same',
    ]);
  });

  it('differs where it was changed to say more than was allowed, and is told what', async () => {
    const customer = await shared();
    const [leaf] = await leavesOf(customer);
    await tamper(
      `UPDATE ledger_entries SET leaf = replace(leaf, '"purpose":"security"}', '"purpose":"security"},{"ground":"permission","purpose":"service-delivery"}')
       WHERE id = $1`,
      [leaf!.id],
    );
    expect(await replaying.of(leaf!.id)).toMatchObject({
      answer: 'differs',
      differences: [
        {
          attribute: 'companyName',
          purpose: 'service-delivery',
          ground: 'permission',
          allowedBy: 'entry',
          refusals: [{ clause: 'p08-nothing-without-permission' }],
        },
      ],
    });
  });

  it('differs where the permission that it was decided on was none', async () => {
    const customer = await shared();
    await rig.permit(customer, partner);
    await settled(customer, 2);
    await tamper(`UPDATE permission_history SET state = 'revoked' WHERE customer = $1`, [customer]);
    const [before, after] = await replays(customer);
    expect(before).toMatchObject({ answer: 'same' });
    expect(after).toMatchObject({
      answer: 'differs',
      differences: expect.arrayContaining([
        expect.objectContaining({ attribute: 'email', purpose: 'recommendation', allowedBy: 'entry' }),
      ]),
    });
  });

  it('differs where somebody appended it with more than was allowed, though the log is as it was signed', async () => {
    const customer = await shared();
    const purposes = [{ purpose: 'recommendation', ground: 'permission' }];
    const forged = await append(customer, { attributes: { email: { purposes, value: 'a@acme.example' } } });
    expect(await replaying.of(forged)).toMatchObject({
      answer: 'differs',
      differences: [
        { attribute: 'email', purpose: 'recommendation', allowedBy: 'entry' },
        { attribute: 'companyName', purpose: 'security', allowedBy: 'decision' },
      ],
    });
  });

  it('of another version of the policy is told so, with what is another by the policy of now', async () => {
    const customer = await shared();
    const purposes = [{ purpose: 'security', ground: 'cooperation' }];
    const same = await append(customer, { policyVersion: '0', attributes: { companyName: { purposes } } });
    const more = await append(customer, {
      policyVersion: '0',
      attributes: { companyName: { purposes }, phone: { purposes } },
    });
    const policyVersion = { ofEntry: '0', now: POLICY_VERSION };
    expect(await replaying.of(same)).toMatchObject({ answer: 'other-policy', policyVersion, differences: [] });
    expect(await replaying.of(more)).toMatchObject({
      answer: 'other-policy',
      policyVersion,
      differences: [{ attribute: 'phone', purpose: 'security', allowedBy: 'entry' }],
    });
  });

  it('is not replayable once its customer is erased, of whom nothing is left that it was decided on', async () => {
    const customer = await shared();
    await rig.erase(customer);
    await settled(customer, 2);
    expect(await replays(customer)).toMatchObject(
      Array(2).fill({ answer: 'not-replayable', because: 'erased', differences: [] }),
    );
    const kept: unknown[] = await rig.database.query(
      `SELECT e.entry FROM share_entries e JOIN shares s ON s.id = e.share
       WHERE s.customer = $1 AND e.decided_on IS NOT NULL`,
      [customer],
    );
    expect(kept).toEqual([]);
  });

  it('is not replayable where it tells of no decision, or nobody knows what it was decided on', async () => {
    const customer = await shared();
    const [leaf] = await leavesOf(customer);
    const aborted = await append(customer, { kind: 'aborted', of: leaf!.id, reached: 'maybe' }, false);
    expect(await replaying.of(aborted)).toMatchObject({
      answer: 'not-replayable',
      because: 'no-decision',
      of: leaf!.id,
    });
    expect(await replaying.of(await append(customer, {}, false))).toMatchObject({ because: 'not-kept' });
    expect(await replaying.of(randomUUID())).toBeUndefined();
    expect(await answersOf(customer)).toContain('released same');
  });
});

/** Appends an entry about a customer and the partner, as whoever owns the service's code could. */
async function append(customer: string, over: Partial<EntryDraft>, withFacts = true): Promise<string> {
  const [{ entry: like }]: [{ entry: string }] = await rig.database.query(
    `SELECT e.entry FROM share_entries e JOIN shares s ON s.id = e.share
     WHERE s.customer = $1 AND s.recipient = $2 ORDER BY e.index LIMIT 1`,
    [customer, partner],
  );
  const [leaf] = await leavesOf(customer);
  const entry = composeEntry(
    {
      id: newEventId(),
      kind: 'released',
      at: new Date(leaf!.at),
      recipient: partner,
      recordId: newEventId(),
      version: 9,
      agreement: leaf!.agreement,
      policyVersion: POLICY_VERSION,
      subject: randomUUID(),
      attributes: {},
      ...over,
    },
    randomSalts(),
  );
  await rig.database.transaction(async (manager) => {
    const [appended] = await appendEntries(manager, [entry]);
    const [of]: [{ share: string; decidedOn: never }] = await manager.query(
      'SELECT share, decided_on AS "decidedOn" FROM share_entries WHERE entry = $1',
      [like],
    );
    const decidedOn = withFacts ? of.decidedOn : null;
    await keepShareEntries(manager, [{ share: of.share, leaf: entry.leaf, index: appended!.index, decidedOn }]);
  });
  return entry.leaf.id;
}
