import { randomUUID } from 'node:crypto';
import {
  decodeMessage,
  feedRecord,
  newEventId,
  profileChanged,
  topicsOfRecipient,
  type DataOf,
} from '@castiron/contracts';
import { attributeAad, newKey, seal, type CustomerKeys } from '@castiron/encryption';
import { connect, readAll, type Kafka } from '@castiron/kafka';
import { openingProblem, type Leaf } from '@castiron/ledger';
import { createLogger } from '@castiron/observability';
import { appendToOutbox, outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SignAgreementUseCase } from '../agreements/sign-agreement/sign-agreement.use-case.js';
import { DraftAgreementUseCase } from '../agreements/draft-agreement/draft-agreement.use-case.js';
import { TerminateAgreementUseCase } from '../agreements/terminate-agreement/terminate-agreement.use-case.js';
import { migrations } from '../database/migrations.js';
import { Fence } from '../fence/fence.js';
import { announceDisclosures } from '../ledger-announcements/disclosure-announcer.js';
import { GrantPermissionUseCase } from '../permissions/grant-permission/grant-permission.use-case.js';
import { RevokePermissionUseCase } from '../permissions/revoke-permission/revoke-permission.use-case.js';
import { KeepProfileWhenProfileChanged } from '../profiles/keep-profiles/keep-profile-when-profile-changed.handler.js';
import { publications } from '../publications.js';
import { KafkaProvisioning } from '../recipients/provisioning.js';
import { RegisterRecipientUseCase } from '../recipients/register-recipient/register-recipient.use-case.js';
import { settleWithdrawalWhenConfirmed } from '../replies/settle-withdrawal-when-confirmed.handler.js';
import { Sweeper } from '../sweeps/run-sweeps/sweeper.js';
import { Releaser } from './releaser.js';
import { ReleaseSignals } from './release-signals.js';

const logger = createLogger('partner-sharing', 'warn');
const keys = new Map<string, CustomerKeys>();
/** Lanes of other spec files on this broker are not to be shut out. */
const transactionalId = (lane: number): string => `release-spec-${lane}`;
/** Set where key custody is to be away. */
let custodyAway = false;
const keySource = {
  keysOf: (customers: readonly string[]) =>
    custodyAway
      ? Promise.reject(new Error('away'))
      : Promise.resolve(new Map(customers.flatMap((one) => (keys.has(one) ? [[one, keys.get(one)!] as const] : [])))),
};

let database: DataSource;
let kafka: Kafka;
let reader: Kafka;
let transactions: Transactions;
let releaser: Releaser;
let sweeper: Sweeper;
const signals = new ReleaseSignals();
let partner: string;

const kafkaOf = (principal: string): Kafka => {
  const { bootstrap, principals } = inject('stack').kafka;
  const { username, password } = principals[principal]!;
  return connect({ brokers: [bootstrap], clientId: `release-spec-${principal}`, username, password });
};
const register = (registration: Parameters<RegisterRecipientUseCase['register']>[0]) =>
  new RegisterRecipientUseCase(database, new KafkaProvisioning(kafkaOf('provisioner')), signals, () =>
    Promise.resolve(),
  ).register(registration);
const lanes = () =>
  new Releaser({ dataSource: database, transactions, kafka, keys: keySource, signals, logger, transactionalId });

async function agree(
  recipient: string,
  purposes: { purpose: string; attributes: string[]; ground: 'permission' | 'cooperation' }[],
): Promise<string> {
  const from = new Date(Date.now() - 60_000);
  const terms = { purposes, highestTier: 'confidential', from, until: new Date(Date.now() + 3_600_000) } as const;
  const { id } = await new DraftAgreementUseCase(transactions).draft(recipient, terms);
  const sign = new SignAgreementUseCase(database, transactions, signals);
  await sign.sign(
    id,
    { side: 'company', name: 'Olga', role: 'officer' },
    { sub: 'officer-1', isPrivacyOfficer: true, isPartner: false },
  );
  await sign.sign(
    id,
    { side: 'partner', name: 'Pat', role: 'director' },
    { sub: recipient, isPrivacyOfficer: false, isPartner: true },
  );
  return id;
}

async function profile(
  customer: string,
  version: number,
  values: Record<string, string>,
  door: 'service-order' | 'subscription' = 'service-order',
) {
  if (!keys.has(customer)) keys.set(customer, { dataKey: newKey(), ledgerKey: newKey() });
  const attributes = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      {
        version,
        sealed: seal(keys.get(customer)!.dataKey, value, attributeAad(customer, name, version)).toString('base64'),
      },
    ]),
  );
  const purposes =
    door === 'service-order'
      ? (['invoicing', 'service-delivery', 'security', 'notices'] as const)
      : (['mailing', 'notices'] as const);
  const data: DataOf<typeof profileChanged> = {
    customer,
    version,
    door,
    purposes: [...purposes],
    origin: 'registered',
    statementVersion: 1,
    registeredAt: new Date().toISOString(),
    attributes,
  };
  await arrive(customer, data);
}

async function arrive(customer: string, data: DataOf<typeof profileChanged> | null): Promise<void> {
  const handler = new KeepProfileWhenProfileChanged(signals, () => undefined);
  const event = {
    contract: profileChanged,
    topic: 'customers.profiles.v1',
    key: customer,
    data,
    meta: { id: newEventId(), time: new Date() },
  };
  await transactions.run([`sharing.permissions.v1/${customer}/notifications/mailing`], (tx) =>
    handler.handle([event], tx),
  );
}

const permit = (customer: string, recipient = partner, purpose = 'recommendation') =>
  new GrantPermissionUseCase(transactions, signals).grant(
    { customer, recipient, purpose },
    { how: 'portal', givenAt: new Date(), statementVersion: 1 },
  );

async function revoke(customer: string, recipient = partner, purpose = 'recommendation'): Promise<boolean> {
  const { command } = await new RevokePermissionUseCase(transactions, signals).revoke({ customer, recipient, purpose });
  return new Fence(database, signals).wait(command);
}

type FeedValue = DataOf<typeof feedRecord> | null;

/** What the feed carries for a customer, in order; null is a tombstone. */
async function feedOf(customer: string, recipient = partner): Promise<FeedValue[]> {
  const rows: { subject: string }[] = await database.query(
    'SELECT subject FROM shares WHERE customer = $1 AND recipient = $2',
    [customer, recipient],
  );
  const found: FeedValue[] = [];
  for await (const message of readAll(reader, topicsOfRecipient(recipient).feed.name)) {
    if (message.key?.toString() !== rows[0]?.subject) continue;
    const decoded = decodeMessage(message, [feedRecord]);
    if (!decoded.ok) throw new Error(decoded.detail);
    found.push(decoded.event.data as FeedValue);
  }
  return found;
}

const settled = (customer: string, version: number, recipient = partner) =>
  eventually(async () => {
    const rows: { version: number }[] = await database.query(
      'SELECT version FROM shares WHERE customer = $1 AND recipient = $2',
      [customer, recipient],
    );
    expect(rows[0]?.version).toBe(version);
  });
const quiet = () =>
  eventually(async () => {
    const rows: { busy: boolean }[] = await database.query(
      'SELECT EXISTS (SELECT 1 FROM pending_releases) OR EXISTS (SELECT 1 FROM sending_records) AS busy',
    );
    expect(rows[0]?.busy).toBe(false);
  });
const outboxOf = (type: string, slug: string): Promise<{ payload: string }[]> =>
  database.query('SELECT payload FROM outbox WHERE type = $1 AND aggregatetype LIKE $2 ORDER BY id', [
    type,
    `%${slug}%`,
  ]);

beforeAll(async () => {
  database = await freshDatabase([...migrations, ...outboxMigrations]);
  transactions = new Transactions(database, { append: appendToOutbox, wake: () => {} }, publications);
  kafka = kafkaOf('admin');
  reader = kafka;
  partner = uniqueSlug();
  await register({ slug: partner, name: 'Northern Hosting', kind: 'network-member' });
  await register({
    slug: 'notifications',
    name: 'Notifications',
    kind: 'internal',
    purposes: [
      { purpose: 'notices', attributes: ['email', 'companyName'] },
      { purpose: 'mailing', attributes: ['email'] },
    ],
  });
  releaser = lanes();
  sweeper = new Sweeper(transactions, signals, logger);
  await releaser.start();
  await sweeper.start();
  await agree(partner, [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    { purpose: 'service-delivery', attributes: ['companyName', 'domainNames'], ground: 'permission' },
  ]);
});
afterAll(async () => {
  await sweeper?.stop();
  await releaser?.stop();
  await database?.destroy();
});

const ACME = {
  companyName: 'Acme',
  registeredAddress: '1 Road',
  servicesUsed: 'web',
  email: 'a@acme.example',
  domainNames: 'acme.example',
};

describe('a release', () => {
  it('puts exactly what is permitted on the feed, and a revocation takes it away', async () => {
    const customer = randomUUID();
    await profile(customer, 1, ACME);
    await permit(customer);
    await settled(customer, 1);
    expect(await revoke(customer)).toBe(true);
    await settled(customer, 2);

    const [granted, withdrawn] = await feedOf(customer);
    expect(Object.keys(granted!.attributes).sort()).toEqual(['companyName', 'email']);
    expect(granted!.attributes.companyName).toMatchObject({
      value: 'Acme',
      purposes: [{ purpose: 'recommendation', ground: 'permission' }],
    });
    expect(granted).toMatchObject({ version: 1, mailing: 'stopped' });
    expect(withdrawn).toMatchObject({ version: 2, attributes: {} });

    for (const record of [granted!, withdrawn!]) {
      const rows: { leaf: string; index: string }[] = await database.query(
        'SELECT leaf, index FROM ledger_entries WHERE id = $1',
        [record.entry],
      );
      expect(openingProblem(JSON.parse(rows[0]!.leaf) as Leaf, record as never)).toBeUndefined();
      expect(rows[0]!.index).toBe(record.index);
    }
  });

  it('publishes a change, and nothing where the change is of no concern', async () => {
    const customer = randomUUID();
    await profile(customer, 1, ACME);
    await permit(customer);
    await settled(customer, 1);
    await profile(customer, 2, { ...ACME, companyName: 'Acme Two' });
    await settled(customer, 2);
    await profile(customer, 1, { ...ACME, companyName: 'Old' });
    await quiet();
    const feed = await feedOf(customer);
    expect(feed.map((record) => record?.attributes.companyName?.value)).toEqual(['Acme', 'Acme Two']);
  });

  it('keeps one purpose when another is revoked, and asks for what is no longer held to be deleted', async () => {
    const customer = randomUUID();
    await profile(customer, 1, ACME);
    await permit(customer);
    await permit(customer, partner, 'service-delivery');
    await quiet();
    expect(await revoke(customer)).toBe(true);
    await quiet();
    const last = (await feedOf(customer)).at(-1)!;
    expect(Object.keys(last.attributes).sort()).toEqual(['companyName', 'domainNames']);
    expect(last.attributes.companyName?.purposes).toEqual([{ purpose: 'service-delivery', ground: 'permission' }]);
    const owed: unknown[] = await database.query(
      'SELECT complete, attributes FROM obligations o JOIN shares s ON s.id = o.share WHERE s.customer = $1',
      [customer],
    );
    expect(owed).toEqual([{ complete: false, attributes: ['email'] }]);
  });

  it('ends the key itself once the recipient confirmed, and listens to nobody else', async () => {
    const customer = randomUUID();
    await profile(customer, 1, ACME);
    await permit(customer);
    await settled(customer, 1);
    await revoke(customer);
    await settled(customer, 2);
    const rows: { id: string; subject: string; version: number }[] = await database.query(
      'SELECT o.id, o.subject, o.version FROM obligations o JOIN shares s ON s.id = o.share WHERE s.customer = $1',
      [customer],
    );
    const { id: obligation, subject, version } = rows[0]!;
    const confirm = (topic: string) =>
      transactions.run([], (tx) =>
        settleWithdrawalWhenConfirmed(signals)(
          {
            contract: undefined as never,
            topic,
            key: subject,
            data: { obligation, subject, version, at: new Date().toISOString() },
            meta: { id: newEventId(), time: new Date() },
          },
          tx,
        ),
      );
    await expect(confirm('replies.somebody-else.v1')).rejects.toThrow(/foreign/);
    await confirm(`replies.${partner}.v1`);
    await settled(customer, 3);
    expect((await feedOf(customer)).at(-1)).toBeNull();
  });

  it('tells nothing of a customer who permitted nothing', async () => {
    const customer = randomUUID();
    await profile(customer, 1, ACME);
    await revoke(customer);
    await quiet();
    expect(await feedOf(customer)).toEqual([]);
  });

  it('welcomes, and says when sharing with a partner started and ended', async () => {
    const customer = randomUUID();
    await profile(customer, 1, ACME);
    await settled(customer, 1, 'notifications');
    await permit(customer);
    await settled(customer, 1);
    await revoke(customer);
    await settled(customer, 2);
    const shares: { subject: string }[] = await database.query(
      `SELECT subject FROM shares WHERE customer = $1 AND recipient = 'notifications'`,
      [customer],
    );
    const notices = (await outboxOf('duties.notice-due.v1', 'notifications'))
      .map(({ payload }) => JSON.parse(String(payload)) as { subject: string; kind: string; about?: string })
      .filter(({ subject }) => subject === shares[0]!.subject);
    expect(notices.map(({ kind, about }) => [kind, about])).toEqual([
      ['welcome', undefined],
      ['sharing-started', 'Northern Hosting'],
      ['sharing-ended', 'Northern Hosting'],
    ]);
  });

  it('lets a subscriber be mailed, until the permission ends', async () => {
    const customer = randomUUID();
    await profile(customer, 1, { email: 's@sub.example' }, 'subscription');
    await settled(customer, 1, 'notifications');
    expect((await feedOf(customer, 'notifications')).at(-1)).toMatchObject({ mailing: 'allowed' });
    expect(await revoke(customer, 'notifications', 'mailing')).toBe(true);
    await settled(customer, 2, 'notifications');
    expect((await feedOf(customer, 'notifications')).at(-1)).toMatchObject({ mailing: 'stopped' });
  });
});

describe('the fence under load (G2)', () => {
  it('lets nothing of a revoked purpose onto the feed after the answer, whatever else is released meanwhile', async () => {
    const customers = Array.from({ length: 24 }, () => randomUUID());
    await Promise.all(customers.map((customer) => profile(customer, 1, ACME)));
    const versionOf = async (customer: string): Promise<number> => {
      const rows: { version: number }[] = await database.query(
        'SELECT version FROM shares WHERE customer = $1 AND recipient = $2',
        [customer, partner],
      );
      return rows[0]?.version ?? 0;
    };
    // Versions from the answer of a revocation up to the next grant: none of them may carry the purpose.
    const fenced: { customer: string; after: number; until: number }[] = [];
    await Promise.all(
      customers.map(async (customer) => {
        await permit(customer, partner, 'service-delivery');
        for (let round = 1; round <= 4; round += 1) {
          await permit(customer);
          await Promise.all([
            profile(customer, round + 1, { ...ACME, companyName: `Acme ${round}`, domainNames: `${round}.example` }),
            (async () => {
              expect(await revoke(customer)).toBe(true);
              const after = await versionOf(customer);
              fenced.push({
                customer,
                after,
                until: round === 4 ? Number.MAX_SAFE_INTEGER : await versionOf(customer),
              });
            })(),
          ]);
        }
      }),
    );
    await quiet();
    const subjects: { customer: string; subject: string }[] = await database.query(
      'SELECT customer, subject FROM shares WHERE recipient = $1',
      [partner],
    );
    const customerOf = new Map(subjects.map(({ subject, customer }) => [subject, customer]));
    const seen = new Map<string, number>();
    let leaks = 0;
    for await (const message of readAll(reader, topicsOfRecipient(partner).feed.name)) {
      const decoded = decodeMessage(message, [feedRecord]);
      if (!decoded.ok || decoded.event.data === null) continue;
      const { subject, version, attributes } = decoded.event.data as DataOf<typeof feedRecord>;
      expect(version).toBeGreaterThan(seen.get(subject) ?? 0);
      seen.set(subject, version);
      const carries = Object.values(attributes).some((one) =>
        one?.purposes.some(({ purpose }) => purpose === 'recommendation'),
      );
      const customer = customerOf.get(subject);
      if (carries && fenced.some((one) => one.customer === customer && version > one.after && version <= one.until)) {
        leaks += 1;
      }
    }
    expect(leaks).toBe(0);
    expect(fenced).toHaveLength(96);
  });
});

describe('an agreement', () => {
  it('shares by cooperation when it enters into force and for who comes later, and takes all back when it ends', async () => {
    const slug = uniqueSlug();
    await register({ slug, name: 'Co', kind: 'network-member' });
    const [before, after, other] = [randomUUID(), randomUUID(), randomUUID()];
    await profile(before, 1, ACME);
    await profile(other, 1, ACME);
    await revoke(other, slug, 'service-delivery');
    const agreement = await agree(slug, [
      { purpose: 'service-delivery', attributes: ['companyName'], ground: 'cooperation' },
    ]);
    await profile(after, 1, ACME);
    await settled(before, 1, slug);
    await settled(after, 1, slug);
    await quiet();
    expect(await feedOf(other, slug)).toEqual([]);
    const command = await new TerminateAgreementUseCase(database, transactions, signals).terminate(agreement, 'over');
    expect(await new Fence(database, signals).wait(command)).toBe(true);
    await settled(before, 2, slug);
    await settled(after, 2, slug);
    expect((await feedOf(before, slug)).at(-1)).toMatchObject({ attributes: {} });
  });
});

describe('when something is away', () => {
  it('holds back values while key custody is away, and withdrawals never', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    await profile(one, 1, ACME);
    await profile(two, 1, ACME);
    await permit(one);
    await settled(one, 1);
    custodyAway = true;
    try {
      await permit(two);
      await revoke(one);
      await settled(one, 2);
      expect(await feedOf(two)).toEqual([]);
    } finally {
      custodyAway = false;
    }
    await settled(two, 1);
  });

  it('settles what a dead owner left sending: committed by the journal, aborted without', async () => {
    const customer = randomUUID();
    await profile(customer, 1, ACME);
    await permit(customer);
    await settled(customer, 1);
    await quiet();
    const rows: { id: string; lane: number; subject: string; recipient: string; entry: string }[] =
      await database.query(
        'SELECT id, lane, subject, recipient, entry FROM shares WHERE customer = $1 AND recipient = $2',
        [customer, partner],
      );
    const share = rows[0]!;
    await releaser.stop();
    const outcome = {
      kind: 'released',
      version: 2,
      recordId: newEventId(),
      index: '0',
      at: new Date().toISOString(),
      recipient: partner,
      recipientName: 'Northern Hosting',
      internal: false,
      customer,
      subject: share.subject,
      holds: [],
      mailing: 'stopped',
      before: { state: 'released', holds: [] },
    };
    await database.query(
      `INSERT INTO sending_records (share, lane, token, batch, entry, customer, agreement_epoch, customer_epoch, share_epoch, outcome)
       VALUES ($1, $2, 0, $3, $4, $5, 0, 0, 0, $6)`,
      [share.id, share.lane, newEventId(), share.entry, customer, JSON.stringify(outcome)],
    );
    releaser = lanes();
    await releaser.start();
    // Version 2 may have been seen, so it is spent and 3 repeats what is allowed.
    await settled(customer, 3);
    const aborted: { kind: string }[] = await database.query(
      'SELECT kind FROM share_entries WHERE share = $1 ORDER BY index',
      [share.id],
    );
    expect(aborted.map(({ kind }) => kind)).toEqual(['released', 'aborted', 'released']);
  });
});

describe('the ledger', () => {
  it('is announced entry by entry, without gaps', async () => {
    await quiet();
    while (await announceDisclosures(transactions));
    const rows: { payload: string }[] = await database.query(
      `SELECT payload FROM outbox WHERE type = 'sharing.disclosure-recorded.v1' ORDER BY id`,
    );
    const size: { size: string }[] = await database.query('SELECT size FROM ledger_head');
    const indexes = rows.map(({ payload }) => (JSON.parse(String(payload)) as { index: string }).index);
    expect(indexes).toEqual(Array.from({ length: Number(size[0]!.size) }, (_, index) => String(index)));
  });
});
