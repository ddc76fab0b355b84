import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeMessage,
  duties,
  encodeEvent,
  encodeTombstone,
  FEED_TICK_TYPE,
  feedRecord,
  feeds,
  mailingCancelled,
  newEventId,
  permissionChanged,
  profileChanged,
  resyncRequested,
  statementPublished,
  typeOf,
  withdrawalConfirmed,
  withdrawalDue,
  type DataOf,
  type EventContract,
} from '@castiron/contracts';
import { attributeAad, newKey, seal } from '@castiron/encryption';
import { connect, readAll, type Kafka } from '@castiron/kafka';
import { mintToken } from '@castiron/local-stack';
import type { RunningService } from '@castiron/service';
import { eventually, freshDatabaseUrl, uniqueSlug } from '@castiron/testing';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readSettings } from './config.js';
import { runPartnerSharing } from './run.js';

let service: RunningService;
let database: DataSource;
let custody: Server;
let admin: Kafka;
const keys = new Map<string, { dataKey: Buffer; ledgerKey: Buffer }>();
const stack = () => inject('stack');

/** Stands for customer-profiles: hands out keys. */
async function startCustody(): Promise<string> {
  custody = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { customers } = JSON.parse(body) as { customers: string[] };
      const found = customers.flatMap((customer) => {
        const own = keys.get(customer);
        return own === undefined
          ? []
          : [{ customer, dataKey: own.dataKey.toString('base64'), ledgerKey: own.ledgerKey.toString('base64') }];
      });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: found }));
    });
  });
  await new Promise<void>((resolve) => custody.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(custody.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  const { kafka, identity } = stack();
  const principal = (name: string) => kafka.principals[name]!;
  const keyFile = join(tmpdir(), `partner-sharing-${randomUUID()}.key`);
  await writeFile(keyFile, newKey().toString('base64'), { mode: 0o600 });
  const client = identity.clients['partner-sharing']!;
  const url = await freshDatabaseUrl();
  service = await runPartnerSharing(
    readSettings({
      CASTIRON_PORT: '0',
      LOG_LEVEL: 'warn',
      DATABASE_URL: url,
      KAFKA_BROKERS: kafka.bootstrap,
      KAFKA_USERNAME: principal('partner-sharing').username,
      KAFKA_PASSWORD: principal('partner-sharing').password,
      KAFKA_PROVISIONER_USERNAME: principal('provisioner').username,
      KAFKA_PROVISIONER_PASSWORD: principal('provisioner').password,
      OIDC_ISSUER: identity.issuer,
      OIDC_CLIENT_ID: client.id,
      OIDC_CLIENT_SECRET: client.secret,
      SERVICE_KEY_FILE: keyFile,
      CUSTOMER_PROFILES_URL: await startCustody(),
      LEDGER_ORIGIN: 'castiron.example/ledger',
      LEDGER_KEY_FILE: keyFile,
    }),
    () => undefined,
  );
  database = await new DataSource({ type: 'postgres', url }).initialize();
  admin = connect({ brokers: [kafka.bootstrap], clientId: 'spec', ...principal('admin') });
  // Until it has arrived nothing can be permitted.
  await send(encodeEvent(statementPublished, statementPublished.example, { id: newEventId(), time: new Date() }));
});
afterAll(async () => {
  await database?.destroy();
  await service?.stop();
  custody?.close();
});

type As = readonly [role: string, sub: string];
const OFFICER: As = ['privacy-officer', 'officer-1'];

async function call(
  method: string,
  path: string,
  as: As,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await mintToken(stack().identity, as[0], as[1])}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const purposes = [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }];
const terms = () => ({
  purposes,
  highestTier: 'confidential',
  from: new Date(Date.now() - 60_000).toISOString(),
  until: new Date(Date.now() + 3_600_000).toISOString(),
});

async function partnerInForce(): Promise<{ slug: string; agreement: string }> {
  const slug = uniqueSlug();
  expect((await call('POST', '/recipients', OFFICER, { slug, name: 'Northern', kind: 'network-member' })).status).toBe(
    201,
  );
  const drafted = await call('POST', '/agreements', OFFICER, { recipient: slug, terms: terms() });
  expect(drafted.status).toBe(201);
  const agreement = String(drafted.body['agreement']);
  await call('POST', `/agreements/${agreement}/signatures`, OFFICER, {
    side: 'company',
    name: 'Olga',
    role: 'officer',
  });
  const signed = await call('POST', `/agreements/${agreement}/signatures`, ['partner', slug], {
    side: 'partner',
    name: 'Pat',
    role: 'head',
  });
  expect(signed.body['state']).toBe('in-force');
  return { slug, agreement };
}

async function customerArrives(
  values: Record<string, string>,
  door: 'service-order' | 'subscription' = 'service-order',
): Promise<string> {
  const customer = randomUUID();
  const own = { dataKey: newKey(), ledgerKey: newKey() };
  keys.set(customer, own);
  const attributes = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      { version: 1, sealed: seal(own.dataKey, value, attributeAad(customer, name, 1)).toString('base64') },
    ]),
  );
  const data: DataOf<typeof profileChanged> = {
    customer,
    version: 1,
    door,
    purposes:
      door === 'subscription' ? ['mailing', 'notices'] : ['invoicing', 'service-delivery', 'security', 'notices'],
    origin: 'registered',
    statementVersion: 1,
    registeredAt: new Date().toISOString(),
    attributes,
  };
  await send(encodeEvent(profileChanged, data, { id: newEventId(), time: new Date() }));
  return customer;
}

async function send(...messages: Parameters<ReturnType<Kafka['producer']>['send']>[0]): Promise<void> {
  const producer = admin.producer();
  await producer.send(messages);
  await producer.close();
}

async function allOf<Contract extends EventContract>(
  topic: string,
  contract: Contract,
): Promise<(DataOf<Contract> | null)[]> {
  const found: (DataOf<Contract> | null)[] = [];
  for await (const message of readAll(admin, topic)) {
    const decoded = decodeMessage(message, [contract]);
    if (decoded.ok) found.push(decoded.event.data as DataOf<Contract> | null);
  }
  return found;
}

const EVIDENCE = () => ({ how: 'portal', givenAt: new Date().toISOString(), statementVersion: 1 });
const within = { within: 20_000 };

describe('partner-sharing', () => {
  it('goes all the way: grant, record, revoke, withdrawal, confirmation, tombstone', async () => {
    const { slug } = await partnerInForce();
    const customer = await customerArrives({ companyName: 'Acme', email: 'a@acme.example' });
    const own: As = ['customer', customer];
    const path = `/customers/${customer}/permissions/${slug}/recommendation`;
    await eventually(
      async () =>
        expect((await call('PUT', path, own, EVIDENCE())).body).toMatchObject({ state: 'granted', version: 1 }),
      within,
    );
    const [record] = await eventually(async () => {
      const feed = await allOf(feeds.of(slug).name, feedRecord);
      expect(feed).toHaveLength(1);
      return feed;
    }, within);
    expect(record?.attributes).toMatchObject({ companyName: { value: 'Acme' } });
    expect(Object.keys(record!.attributes)).toEqual(['companyName']);
    // Settled once it is on the feed.
    await eventually(async () => {
      const holdings = await call('GET', `/customers/${customer}/holdings`, own);
      expect(holdings.body['holdings']).toMatchObject([{ recipient: slug, state: 'released' }]);
    }, within);

    const revoked = await call('DELETE', path, own);
    expect(revoked).toMatchObject({ status: 200, body: { state: 'revoked' } });
    expect((await call('GET', `/commands/${String(revoked.body['command'])}`, own)).body).toMatchObject({
      state: 'done',
    });
    const due = await eventually(async () => {
      const [duty] = (await allOf(duties.of(slug).name, withdrawalDue)).filter((one) => one !== null);
      if (duty === undefined) throw new Error('no duty yet');
      return duty;
    }, within);
    expect(due).toMatchObject({ complete: true, attributes: ['companyName'], version: 2 });

    const { subject, obligation, version } = due;
    await send(
      encodeEvent(
        withdrawalConfirmed,
        { obligation, subject, version, at: new Date().toISOString() },
        { id: newEventId(), time: new Date() },
        slug,
      ),
    );
    const feed = await eventually(async () => {
      const all = await allOf(feeds.of(slug).name, feedRecord);
      expect(all).toHaveLength(3);
      return all;
    }, within);
    expect(feed[1]).toMatchObject({ attributes: {}, version: 2 });
    expect(feed[2]).toBeNull();
    const disclosures = await call('GET', `/customers/${customer}/disclosures`, own);
    expect((disclosures.body['disclosures'] as { kind: string }[]).map(({ kind }) => kind)).toEqual([
      'tombstone',
      'withdrawn',
      'released',
    ]);
    // Sent by another way than the feed.
    await eventually(async () => {
      const all = await allOf('sharing.permissions.v1', permissionChanged);
      const told = all.filter((one) => one?.customer === customer);
      expect(told.map((one) => one?.state)).toEqual(['granted', 'revoked']);
    }, within);
  });

  it('records a subscription as a permission, and ends it when mailings are cancelled', async () => {
    await call('POST', '/recipients', OFFICER, {
      slug: 'notifications',
      name: 'Notifications',
      kind: 'internal',
      purposes: [{ purpose: 'mailing', attributes: ['email'] }],
    });
    const email = `${randomUUID()}@sub.example`;
    const customer = await customerArrives({ email }, 'subscription');
    const feed = () => allOf(feeds.of('notifications').name, feedRecord);
    const record = await eventually(async () => {
      const one = (await feed()).find((record) => record?.attributes.email?.value === email);
      expect(one?.mailing).toBe('allowed');
      return one!;
    }, within);
    const last = async () => (await feed()).filter((one) => one?.subject === record.subject).at(-1);
    const at = new Date().toISOString();
    await send(encodeEvent(mailingCancelled, { subject: record.subject, at }, { id: newEventId(), time: new Date() }));
    const known = { mailingCancelledAt: at };
    await eventually(async () => expect(await last()).toMatchObject({ mailing: 'stopped', ...known }), within);
    const permissions = await call('GET', `/customers/${customer}/permissions`, ['customer', customer]);
    expect(permissions.body['permissions']).toMatchObject([
      { recipient: 'notifications', purpose: 'mailing', state: 'revoked' },
    ]);
    // A permission given anew tells the cancellation that it knows of, so that notifications may take it for one.
    const path = `/customers/${customer}/permissions/notifications/mailing`;
    const anew = await call('PUT', path, ['customer', customer], EVIDENCE(), { 'idempotency-key': randomUUID() });
    expect(anew.status).toBe(200);
    await eventually(async () => expect(await last()).toMatchObject({ mailing: 'allowed', ...known }), within);
  });

  it('takes everything back from everyone when a customer is deleted or an agreement ends', async () => {
    const { slug, agreement } = await partnerInForce();
    const [stays, goes] = [
      await customerArrives({ companyName: 'Stays' }),
      await customerArrives({ companyName: 'Goes' }),
    ];
    const rows = [stays, goes].map((customer) => ({
      customer,
      recipient: slug,
      purpose: 'recommendation',
      ...EVIDENCE(),
    }));
    const imported = await call('POST', '/imports/permissions', ['service', 'importer'], {
      rows: [...rows, { customer: 'x' }],
    });
    expect(imported.body['rows']).toMatchObject([
      { outcome: 'created' },
      { outcome: 'created' },
      { outcome: 'refused', reason: 'customer: not a UUID' },
    ]);
    const again = await call('POST', '/imports/permissions', ['service', 'importer'], { rows });
    expect(again.body['rows']).toMatchObject([{ outcome: 'existing' }, { outcome: 'existing' }]);
    const feed = () => allOf(feeds.of(slug).name, feedRecord);
    await eventually(async () => expect(await feed()).toHaveLength(2), within);
    await send(encodeTombstone(profileChanged, goes, { id: newEventId(), time: new Date() }));
    await eventually(async () => expect((await feed())[2]).toMatchObject({ attributes: {} }), within);
    const ended = await call('POST', `/agreements/${agreement}/termination`, OFFICER, { reason: 'over' });
    expect(ended).toMatchObject({ status: 200, body: { state: 'terminated' } });
    await eventually(async () => expect((await feed())[3]).toMatchObject({ attributes: {} }), within);
  });

  it('takes an objection to cooperation from the customer alone, and lets it be withdrawn', async () => {
    const { slug } = await partnerInForce();
    const customer = randomUUID();
    const own: As = ['customer', customer];
    const path = `/customers/${customer}/objections`;
    const to = { recipient: slug, purpose: 'recommendation' };
    for (const method of ['PUT', 'DELETE'])
      expect((await call(method, `${path}/${slug}/recommendation`, ['customer', randomUUID()])).status).toBe(403);
    const objected = await call('PUT', `${path}/${slug}/recommendation`, own);
    expect(objected).toMatchObject({ status: 200, body: { ...to, state: 'standing', version: 1 } });
    expect((await call('GET', `/commands/${String(objected.body['command'])}`, own)).body).toMatchObject({
      state: 'done',
    });
    const withdrawn = await call('DELETE', `${path}/${slug}/recommendation`, own);
    expect(withdrawn).toMatchObject({ status: 200, body: { ...to, state: 'withdrawn', version: 2 } });
    expect((await call('GET', path, own)).body['objections']).toMatchObject([{ ...to, state: 'withdrawn' }]);
  });

  it('publishes anew what a recipient may hold, when it asks', async () => {
    const { slug } = await partnerInForce();
    const customer = await customerArrives({ companyName: 'Lost' });
    const path = `/customers/${customer}/permissions/${slug}/recommendation`;
    await eventually(
      async () => expect((await call('PUT', path, ['customer', customer], EVIDENCE())).status).toBe(200),
      within,
    );
    const told = async () => {
      const feed = await allOf(feeds.of(slug).name, feedRecord);
      return feed.map((record) => [record?.version, record?.attributes.companyName?.value]);
    };
    await eventually(async () => expect(await told()).toEqual([[1, 'Lost']]), within);
    const asked = { at: new Date().toISOString() };
    await send(encodeEvent(resyncRequested, asked, { id: newEventId(), time: new Date() }, slug));
    const twice = [1, 2].map((version) => [version, 'Lost']);
    await eventually(async () => expect(await told()).toEqual(twice), within);
  });

  it('ticks a feed whose time has come', async () => {
    const { slug } = await partnerInForce();
    await database.query(
      'INSERT INTO feed_ticks (recipient, entry_index, ticks_left, due_at) VALUES ($1, 0, 1, clock_timestamp())',
      [slug],
    );
    await eventually(async () => {
      const types = [];
      for await (const message of readAll(admin, feeds.of(slug).name)) types.push(typeOf(message));
      expect(types).toEqual([FEED_TICK_TYPE, FEED_TICK_TYPE]);
    }, within);
  });

  it('grants nothing anew where a grant is sent again after its revocation', async () => {
    const { slug } = await partnerInForce();
    const customer = await customerArrives({ companyName: 'Once' });
    const own: As = ['customer', customer];
    const path = `/customers/${customer}/permissions/${slug}/recommendation`;
    const evidence = EVIDENCE();
    const headers = { 'idempotency-key': randomUUID() };
    const granted = await eventually(async () => {
      const answer = await call('PUT', path, own, evidence, headers);
      expect(answer).toMatchObject({ status: 200, body: { state: 'granted', version: 1 } });
      return answer;
    }, within);
    const revocation = { 'idempotency-key': randomUUID() };
    const revoked = await call('DELETE', path, own, undefined, revocation);
    expect(revoked.body).toMatchObject({ state: 'revoked', version: 2 });
    expect(await call('PUT', path, own, evidence, headers)).toEqual(granted);
    expect(await call('DELETE', path, own, undefined, revocation)).toEqual(revoked);
    expect(await call('PUT', path, own, { ...evidence, how: 'otherwise' }, headers)).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
    expect((await call('GET', `/customers/${customer}/permissions`, own)).body['permissions']).toMatchObject([
      { recipient: slug, state: 'revoked', version: 2 },
    ]);
  });

  it('takes permissions from the customer and the portal alone, and imports from the importer', async () => {
    const path = `/customers/${randomUUID()}/permissions/nobody/recommendation`;
    const refused = { status: 403, body: { code: 'service-not-named', promise: 'P8' } };
    for (const sub of ['recommendations', 'notifications', 'importer', 'customer-profiles']) {
      expect(await call('PUT', path, ['service', sub], EVIDENCE())).toMatchObject(refused);
      expect(await call('DELETE', path, ['service', sub])).toMatchObject(refused);
    }
    expect(await call('PUT', path, ['service', 'portal'], EVIDENCE())).toMatchObject({ status: 404 });
    for (const sub of ['recommendations', 'portal']) {
      expect(await call('POST', '/imports/permissions', ['service', sub], { rows: [] })).toMatchObject(refused);
    }
  });

  it('names the field and the promise of evidence that is none', async () => {
    const path = `/customers/${randomUUID()}/permissions/nobody/recommendation`;
    const refused = async (field: string, evidence: object, detail: string) =>
      expect(await call('PUT', path, ['service', 'portal'], { ...EVIDENCE(), ...evidence })).toMatchObject({
        status: 400,
        body: { field, promise: 'P8', detail: expect.stringContaining(detail) as string },
      });
    const times = [
      '2009-W01-1T00:00:00Z',
      '2009-222T00:00:00Z',
      '2026-11-23T10Z',
      '2026-11-23T10:30,5Z',
      '2026-11-23T10.5+01:00',
      '1000-01-01T00:00:00Z',
      '2026',
    ];
    for (const givenAt of times) await refused('givenAt', { givenAt }, 'an instant like');
    for (const how of ['a\u2028b', 'a\u202eb', ' ', 'x'.repeat(201)]) await refused('how', { how }, 'one line');
    await refused('statementVersion', { statementVersion: '1' }, 'an integer');
    expect(await call('GET', '/commands/xx', OFFICER)).toMatchObject({
      status: 400,
      body: { field: 'path.id', promise: 'P7' },
    });
    const deep = JSON.stringify(Array.from({ length: 40 }).reduce((inner) => [inner], null));
    expect(
      await call('POST', '/imports/permissions', ['service', 'importer'], { rows: [JSON.parse(deep) as unknown] }),
    ).toMatchObject({ status: 400, body: { code: 'too-deep', field: 'rows.0', promise: 'P7' } });
  });

  it('refuses by name, with the promise', async () => {
    const slug = uniqueSlug();
    await call('POST', '/recipients', OFFICER, { slug, name: 'Lone', kind: 'third-party' });
    const customer = randomUUID();
    const own: As = ['customer', customer];
    const put = (recipient: string, purpose: string, body: unknown = EVIDENCE(), as: As = own) =>
      call('PUT', `/customers/${customer}/permissions/${recipient}/${purpose}`, as, body);
    expect(await put(slug, 'recommendation')).toMatchObject({
      status: 422,
      body: { code: 'no-agreement-in-force', promise: 'P8', field: 'recipient' },
    });
    expect(await put(slug, 'spying')).toMatchObject({
      status: 400,
      body: { code: 'unknown-purpose', field: 'purpose' },
    });
    expect(await put(slug, 'recommendation', { ...EVIDENCE(), statementVersion: 7 })).toMatchObject({
      status: 400,
      body: { code: 'unknown-statement', field: 'statementVersion', promise: 'P17' },
    });
    expect(await put('nobody', 'recommendation')).toMatchObject({ status: 404, body: { code: 'no-such-recipient' } });
    expect(await put(slug, 'recommendation', { how: 'x' })).toMatchObject({ status: 400, body: { promise: 'P8' } });
    // Without its zone, when it was given would depend on where this runs.
    for (const givenAt of ['2026-11-01', '2026-11-01T10:00:00']) {
      expect(await put(slug, 'recommendation', { ...EVIDENCE(), givenAt })).toMatchObject({
        status: 400,
        body: { field: 'givenAt', promise: 'P8' },
      });
    }
    expect(await put(slug, 'recommendation', EVIDENCE(), ['customer', randomUUID()])).toMatchObject({ status: 403 });
    const outside = {
      ...terms(),
      purposes: [{ purpose: 'recommendation', attributes: ['vatNumber'], ground: 'permission' }],
    };
    expect(await call('POST', '/agreements', OFFICER, { recipient: slug, terms: outside })).toMatchObject({
      status: 400,
      body: { promise: 'P8' },
    });
  });
});
