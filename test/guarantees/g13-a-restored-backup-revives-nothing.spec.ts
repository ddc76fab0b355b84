import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkpointSigned, sharingCheckpoints, type DataOf } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backUp, restore } from '../support/backups.js';
import { valuesOf, type Answer, type Castiron, type FeedMessage, type Partner } from '../support/castiron.js';
import { ledgerCommand } from '../support/ledger-command.js';
import { ledgerOf } from '../support/ledger.js';
import { startOwnCastiron, type OwnCastiron } from '../support/own-castiron.js';
import { eventsOn } from '../support/records.js';
import { recoverCommand } from '../support/recover-command.js';

const REVOKED = 100;
const ERASED = 10;
const PURPOSE = 'recommendation';
const within = { within: 60_000 };
const officer = ['privacy-officer', 'officer'] as const;
/** Of a service that goes on as one did without a guard. */
const WITHOUT_GUARD = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, '../support/without-guard.ts')).href}`,
};

let own: OwnCastiron;
let castiron: Castiron;
let folder: string;
let partner: Partner;
let log: string;
let key: string;

beforeAll(async () => {
  own = await startOwnCastiron();
  ({ castiron } = own);
  folder = await mkdtemp(join(tmpdir(), 'castiron-restored-'));
  partner = await castiron.registerPartner();
  await castiron.agree(partner, [{ purpose: PURPOSE, attributes: ['companyName', 'email'] }]);
  log = `${castiron.endpoints.services['partner-sharing']?.url}/ledger`;
  key = (await (await fetch(`${log}/verifier-key`)).text()).trim();
});
afterAll(async () => {
  await own?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** Some at a time. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += 8) await Promise.all(items.slice(at, at + 8).map(work));
}

/** Customers whose names nobody else has, each with a permission, on the feed. */
async function sharedCustomers(prefix: string, count: number): Promise<string[]> {
  const customers: string[] = [];
  await each(
    Array.from({ length: count }, (_, n) => n),
    async (n) => {
      const customer = await castiron.registerCompany({
        companyName: `${prefix} ${n}`,
        email: `${prefix}-${n}@example.com`,
      });
      await castiron.permit(customer, partner.slug, PURPOSE);
      customers.push(customer);
    },
  );
  await eventually(async () => expect(namesOn(await partner.read(), prefix).size).toBe(count), within);
  return customers;
}

/** Subjects whose last record names such a company. */
function namesOn(feed: readonly FeedMessage[], prefix: string): Map<string, string> {
  const last = new Map(feed.map((message) => [message.subject, valuesOf(message)['companyName'] ?? '']));
  return new Map([...last].filter(([, name]) => name.startsWith(`${prefix} `)));
}

const erase = async (customer: string): Promise<void> => {
  const { status } = await castiron.call('customer-profiles', 'POST', `/customers/${customer}/erasure`, {
    as: ['customer', customer],
  });
  expect(status).toBe(202);
};

/** Until the ledger is signed as far as it goes, and the heads are published. */
async function signedSize(): Promise<number> {
  const size = (await ledgerOf(castiron)).length;
  return eventually(async () => {
    const heads = await eventsOn<DataOf<typeof checkpointSigned>>(castiron, sharingCheckpoints.name, checkpointSigned);
    const signed = Math.max(...heads.map((head) => Number(head.size)));
    expect(signed).toBeGreaterThanOrEqual(size);
    return signed;
  }, within);
}

const verify = (): ReturnType<typeof ledgerCommand> =>
  ledgerCommand('verify', '--from', log, '--key', key, '--remember', join(folder, 'seen'));

const recoveryOf = (service: string): Promise<Answer> => castiron.call(service, 'GET', '/recovery', { as: officer });

const fenced = (service: string): Promise<void> =>
  eventually(async () => {
    expect((await recoveryOf(service)).body).toMatchObject({ fenced: true, because: { reason: 'behind' } });
    const { background } = (await (
      await fetch(`${castiron.endpoints.services[service]?.url}/health/ready`)
    ).json()) as {
      background: unknown;
    };
    expect(background).toMatchObject({ restore: 'failed' });
  }, within);

/** Of one subject, versions rise from record to record. */
function expectNoVersionFalls(feed: readonly FeedMessage[]): void {
  const versions = new Map<string, number>();
  for (const { subject, record } of feed) {
    if (record === null) continue;
    expect(record.version, subject).toBeGreaterThan(versions.get(subject) ?? 0);
    versions.set(subject, record.version);
  }
}

async function expectRecovered(...services: readonly string[]): Promise<void> {
  const dry = await recoverCommand(castiron, folder);
  expect(dry, dry.stdout + dry.stderr).toMatchObject({ exitCode: 2 });
  for (const service of services) expect((await recoveryOf(service)).body).toMatchObject({ fenced: true });
  const done = await recoverCommand(castiron, folder, '--yes');
  expect(done, done.stdout + done.stderr).toMatchObject({ exitCode: 0 });
  expect(done.stdout).toContain('Not to be recovered: what was answered from');
  expect(await recoverCommand(castiron, folder)).toMatchObject({ exitCode: 0 });
}

/** A customer who comes now is shared, and the ledger's heads go on from the one that was remembered. */
async function expectEverythingGoesOn(prefix: string): Promise<void> {
  const [customer = ''] = await sharedCustomers(prefix, 1);
  await castiron.revoke(customer, partner.slug, PURPOSE);
  await eventually(async () => expect(namesOn(await partner.read(), prefix).size).toBe(0), within);
  await signedSize();
  const verified = await verify();
  expect(verified, verified.stdout).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('goes on from') });
}

describe('G13: a restored backup revives nothing', () => {
  it('of what was revoked, erased, ended or objected to since, and the ledger is not forked', async () => {
    const revoked = await sharedCustomers('Revoked', REVOKED);
    const erased = await sharedCustomers('Erased', ERASED);
    const [staying = ''] = await sharedCustomers('Staying', 1);
    const ended = await castiron.registerPartner();
    const agreement = await castiron.agree(ended, [{ purpose: PURPOSE, attributes: ['companyName'] }]);
    await castiron.permit(staying, ended.slug, PURPOSE);
    await ended.readUntil((feed) => expect(feed).toHaveLength(1));
    const member = await castiron.registerPartner('network-member');
    await castiron.agree(member, [{ purpose: 'service-delivery', attributes: ['domainNames'], ground: 'cooperation' }]);
    const objecting = await castiron.registerCompany({ companyName: 'Objecting', domainNames: 'objecting.example' });
    const domains = (messages: readonly FeedMessage[]) => messages.map((message) => valuesOf(message)['domainNames']);
    await member.readUntil((feed) => expect(domains(feed)).toContain('objecting.example'));
    await own.askToEnd('partner-sharing', () => backUp(castiron, 'partner-sharing'));

    await each(revoked, (customer) => castiron.revoke(customer, partner.slug, PURPOSE));
    await each(erased, erase);
    const termination = await castiron.call('partner-sharing', 'POST', `/agreements/${agreement}/termination`, {
      as: officer,
      body: { reason: 'We part.' },
    });
    expect(termination.status).toBe(200);
    const objection = await castiron.call(
      'partner-sharing',
      'PUT',
      `/customers/${objecting}/objections/${member.slug}/service-delivery`,
      { as: ['customer', objecting] },
    );
    expect(objection.status).toBe(200);
    await castiron.change(staying, { email: null });
    // Given in the lost time: not revived either.
    const [late = ''] = await sharedCustomers('Late', 1);
    await eventually(async () => {
      const feed = await partner.read();
      for (const prefix of ['Revoked', 'Erased']) expect(namesOn(feed, prefix).size).toBe(0);
      expect(valuesOf(feed.findLast((message) => valuesOf(message)['companyName'] === 'Staying 0'))).toEqual({
        companyName: 'Staying 0',
      });
    }, within);
    await ended.readUntil((feed) => expect(valuesOf(feed.at(-1))).toEqual({}));
    await member.readUntil((feed) => expect(domains(feed).at(-1)).toBeUndefined());
    const memberBefore = await member.read();
    const size = await signedSize();
    expect(await verify()).toMatchObject({ exitCode: 0 });
    const before = await partner.read();
    const endedBefore = await ended.read();

    await own.crash('partner-sharing', () => restore(castiron, 'partner-sharing'));
    await fenced('partner-sharing');
    expect((await ledgerOf(castiron)).length).toBeLessThan(size);
    const refused = await castiron.grant(staying, partner.slug, PURPOSE);
    expect(refused).toMatchObject({ status: 503, body: { code: 'restored-and-fenced' } });
    // What takes away is accepted by this database alone.
    await castiron.revoke(late, ended.slug, PURPOSE);
    await expectRecovered('partner-sharing');

    await castiron.settled(staying, partner.slug);
    await eventually(async () => {
      const { body } = await castiron.call('partner-sharing', 'GET', `/agreements?recipient=${ended.slug}`, {
        as: officer,
      });
      expect(JSON.stringify(body)).toContain('"terminated"');
    });
    await expectEverythingGoesOn('First');
    const feed = await partner.read();
    expectNoVersionFalls(feed);
    const since = feed.filter(
      ({ offset, partition }) => !before.some((one) => one.offset === offset && one.partition === partition),
    );
    for (const prefix of ['Revoked', 'Erased', 'Late']) {
      expect(namesOn(feed, prefix).size, prefix).toBe(0);
      expect(since.filter((message) => valuesOf(message)['companyName']?.startsWith(`${prefix} `))).toEqual([]);
    }
    expect(since.filter((message) => valuesOf(message)['email']?.startsWith('Staying'))).toEqual([]);
    const endedSince = (await ended.read()).slice(endedBefore.length);
    expect(endedSince.filter((message) => Object.keys(valuesOf(message)).length > 0)).toEqual([]);
    await castiron.settled(objecting, member.slug);
    expect(domains((await member.read()).slice(memberBefore.length))).not.toContain('objecting.example');
    for (const customer of [revoked[0] ?? '', late]) {
      const permissions = await castiron.call('partner-sharing', 'GET', `/customers/${customer}/permissions`, {
        as: ['customer', customer],
      });
      expect(JSON.stringify(permissions.body), customer).not.toContain('"granted"');
    }
    const indexes = (await ledgerOf(castiron)).map(({ index }) => index);
    expect(indexes).toEqual(indexes.map((_, n) => String(n)));
  }, 300_000);

  it('where the restored database grew again before anyone looked', async () => {
    const revoked = await sharedCustomers('Gone', 20);
    const grown = await sharedCustomers('Grown', 5);
    await own.askToEnd('partner-sharing', () => backUp(castiron, 'partner-sharing'));
    await each(revoked, (customer) => castiron.revoke(customer, partner.slug, PURPOSE));
    await eventually(async () => expect(namesOn(await partner.read(), 'Gone').size).toBe(0), within);
    await signedSize();
    expect(await verify()).toMatchObject({ exitCode: 0 });
    const lost = await ledgerOf(castiron);

    await own.askToEnd('partner-sharing', () => restore(castiron, 'partner-sharing'));
    await fenced('partner-sharing');
    await own.restart('partner-sharing', WITHOUT_GUARD);
    // As many events and entries as were lost, under the same numbers.
    await each(grown, (customer) => castiron.revoke(customer, partner.slug, PURPOSE));
    const more = await sharedCustomers('More', 25);
    await eventually(async () => expect(namesOn(await partner.read(), 'Grown').size).toBe(0), within);
    await eventually(async () => expect((await ledgerOf(castiron)).length).toBeGreaterThanOrEqual(lost.length), within);
    const grew = await ledgerOf(castiron);

    await own.restart('partner-sharing', {});
    await fenced('partner-sharing');
    await expectRecovered('partner-sharing');
    await expectEverythingGoesOn('Second');
    const feed = await partner.read();
    for (const prefix of ['Gone', 'Grown']) expect(namesOn(feed, prefix).size, prefix).toBe(0);
    expect(namesOn(feed, 'More').size).toBe(more.length);
    const now = await ledgerOf(castiron);
    // What was signed first stands where it stood, and what came in its place is there too.
    expect(now.slice(0, lost.length)).toEqual(lost);
    const ids = new Set(now.map(({ leaf }) => leaf.id));
    expect(grew.filter(({ leaf }) => !ids.has(leaf.id))).toEqual([]);
  }, 300_000);

  it('of customers and their keys: who was erased is erased again, and what was withdrawn stays so', async () => {
    const erased = await sharedCustomers('Forgotten', ERASED);
    const [staying = ''] = await sharedCustomers('Kept', 1);
    await signedSize();
    expect(await verify()).toMatchObject({ exitCode: 0 });
    await own.askToEnd('customer-profiles', async () => {
      await backUp(castiron, 'customer-profiles');
      await backUp(castiron, 'customer-keys');
    });
    await each(erased, erase);
    await castiron.change(staying, { email: null });
    await eventually(async () => expect(namesOn(await partner.read(), 'Forgotten').size).toBe(0), within);

    await own.askToEnd('customer-profiles', async () => {
      await restore(castiron, 'customer-profiles');
      await restore(castiron, 'customer-keys');
    });
    await fenced('customer-profiles');
    const keys = await castiron.call('customer-profiles', 'POST', '/internal/keys', {
      as: ['service', 'partner-sharing'],
      body: { customers: erased },
    });
    expect(keys).toMatchObject({ status: 503, body: { code: 'restored-and-fenced' } });
    await expectRecovered('customer-profiles');
    const handed = await castiron.call('customer-profiles', 'POST', '/internal/keys', {
      as: ['service', 'partner-sharing'],
      body: { customers: erased },
    });
    expect(handed).toMatchObject({ status: 200, body: { keys: [] } });
    for (const customer of erased) {
      const { status } = await castiron.call('customer-profiles', 'GET', `/customers/${customer}`, {
        as: ['customer', customer],
      });
      expect(status).toBe(404);
    }
    await castiron.change(staying, { companyName: 'Kept 1' });
    await eventually(async () => {
      const last = (await partner.read()).findLast((message) => valuesOf(message)['companyName']?.startsWith('Kept '));
      expect(valuesOf(last)).toEqual({ companyName: 'Kept 1' });
    }, within);

    // The key store alone.
    await own.askToEnd('customer-profiles', () => restore(castiron, 'customer-keys'));
    await fenced('customer-profiles');
    expect(await recoverCommand(castiron, folder, '--yes')).toMatchObject({ exitCode: 0 });
    await expectEverythingGoesOn('Third');
  }, 300_000);
});
