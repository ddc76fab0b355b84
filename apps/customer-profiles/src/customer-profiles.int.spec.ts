import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { decodeMessage, profileChanged, statementPublished, type DataOf } from '@castiron/contracts';
import { attributeAad, KeyCustodyClient, newKey, open } from '@castiron/encryption';
import { mintToken } from '@castiron/local-stack';
import { createLogger, createMetrics, Health } from '@castiron/observability';
import { appendToOutbox, outboxMigrations } from '@castiron/outbox';
import {
  AnswerStore,
  idempotencyMigrations,
  MarkingTransactions,
  startService,
  type RunningService,
} from '@castiron/service';
import { freshDatabase } from '@castiron/testing';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CustomerProfilesModule } from './customer-profiles.module.js';
import { keyStoreMigrations, migrations } from './migrations.js';
import { KeyCustody } from './key-custody/key-custody.js';
import { loadStatements } from './statements/load-statements/load-statements.use-case.js';
import { publications } from './publications.js';
import { parseStatement } from './statements/load-statements/statement-file.js';

let database: DataSource;
let keyStore: DataSource;
let service: RunningService;
let transactions: Transactions;
const statement = parseStatement(1, 'Be told.\nEffective from: 2026-01-01\n');

beforeAll(async () => {
  [keyStore, database] = await Promise.all([
    freshDatabase(keyStoreMigrations),
    freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]),
  ]);
  transactions = new MarkingTransactions(database, { append: appendToOutbox, wake: () => {} }, publications);
  await loadStatements(transactions, [statement]);
  const custody = new KeyCustody(keyStore, newKey());
  const name = 'customer-profiles';
  service = await startService({
    name,
    module: CustomerProfilesModule.with({ database, transactions, custody, serviceKey: newKey() }),
    settings: {
      name,
      port: 0,
      host: '127.0.0.1',
      bodyLimit: 262_144,
      logLevel: 'silent',
      oidcIssuer: inject('stack').identity.issuer,
    },
    health: new Health(),
    metrics: createMetrics(name),
    logger: createLogger(name, 'silent'),
    answers: new AnswerStore(database, newKey()),
  });
});
afterAll(async () => {
  await service?.stop();
  await Promise.all([database.destroy(), keyStore.destroy()]);
});

const tokenOf = (role: string, sub: string) => mintToken(inject('stack').identity, role, sub);

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly as?: readonly [role: string, sub: string];
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** What the routes under test answer, taken together. */
interface Body {
  readonly customer: string;
  readonly field: string;
  readonly attributes: Record<string, string>;
  readonly rows: readonly { readonly outcome: string; readonly customer: string }[];
  readonly purposes: { readonly invoicing: { readonly compulsory: readonly string[] } };
}

async function call({ method = 'GET', path, as = ['service', 'portal'], body, headers }: Call) {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await tokenOf(...as)}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as Body,
  };
}

const order = {
  companyName: 'Example Ltd',
  servicesUsed: 'dedicated server',
  registeredAddress: '1 Main Street\nSpringfield',
  phone: '555',
};

async function registered(attributes: Record<string, unknown> = order, door = 'service-order'): Promise<string> {
  const answer = await call({ method: 'POST', path: `/registrations/${door}`, body: { attributes } });
  expect(answer.status).toBe(201);
  return answer.body.customer;
}

/** What the outbox holds for a key, decoded as its readers would. */
async function published(topic: string, key: string) {
  const rows: { payload: Buffer | string | null; headers: Record<string, string> }[] = await database.query(
    `SELECT payload, headers FROM outbox WHERE aggregatetype = $1 AND aggregateid = $2 ORDER BY id`,
    [topic, key],
  );
  return rows.map(({ payload, headers }) => {
    const value =
      typeof payload === 'object' && payload !== null && !Buffer.isBuffer(payload) ? JSON.stringify(payload) : payload;
    const decoded = decodeMessage({ topic, key, value, headers }, [profileChanged, statementPublished]);
    if (!decoded.ok) throw new Error(`${decoded.reason}: ${decoded.detail}`);
    return decoded.event.data;
  });
}

const profilesOf = async (customer: string) =>
  (await published('customers.profiles.v1', customer)) as DataOf<typeof profileChanged>[];

const custodyClient = () =>
  new KeyCustodyClient({ url: service.url, token: () => tokenOf('service', 'partner-sharing') });

describe('a registration', () => {
  it('is answered with the customer and an ETag, and published sealed with the change', async () => {
    const answer = await call({ method: 'POST', path: '/registrations/service-order', body: { attributes: order } });
    expect(answer).toMatchObject({ status: 201, body: { version: 1 } });
    expect(answer.headers.get('etag')).toBe('"v1"');
    const { customer } = answer.body;
    const [event, ...more] = await profilesOf(customer);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      customer,
      version: 1,
      door: 'service-order',
      purposes: ['invoicing', 'service-delivery', 'security', 'notices'],
      origin: 'registered',
      statementVersion: 1,
    });
    expect(JSON.stringify(event)).not.toContain('Example');
    const keys = (await custodyClient().keysOf([customer])).get(customer);
    const sealed = Buffer.from(event?.attributes.companyName?.sealed ?? '', 'base64');
    expect(open(keys?.dataKey as Buffer, sealed, attributeAad(customer, 'companyName', 1)).toString()).toBe(
      'Example Ltd',
    );
  });

  it('has three doors, and makes a new customer at each (P12)', async () => {
    const applicant = await registered({ contactName: 'A. Person', email: 'a@example.com' }, 'job-application');
    const subscriber = await registered({ email: 'a@example.com' }, 'subscription');
    const customer = await registered({ ...order, contactName: 'A. Person', email: 'a@example.com' });
    expect(new Set([applicant, subscriber, customer]).size).toBe(3);
    expect((await profilesOf(subscriber))[0]?.purposes).toEqual(['mailing', 'notices']);
  });

  it('is refused by name without a compulsory attribute, and leaves nothing behind (P1)', async () => {
    const { registeredAddress: _left, ...rest } = order;
    const keysBefore = await keyStore.query(`SELECT count(*) FROM customer_keys`);
    const answer = await call({ method: 'POST', path: '/registrations/service-order', body: { attributes: rest } });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'compulsory-attribute-missing', field: 'attributes.registeredAddress', promise: 'P1' },
    });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await keyStore.query(`SELECT count(*) FROM customer_keys`)).toEqual(keysBefore);
  });

  it.each([
    { ...order, companyName: 'a\u0007b' },
    { ...order, companyName: 'a\nb' },
    { ...order, shoeSize: '9' },
    { ...order, curriculumVitae: 'x' },
  ])('names the attribute that is not as it should be', async (attributes) => {
    const answer = await call({ method: 'POST', path: '/registrations/service-order', body: { attributes } });
    expect(answer.status).toBe(400);
    expect(answer.body.field).toMatch(/^attributes\./);
  });

  it.each([undefined, [], { attributes: [] }, { attributes: 'x' }, { attributes: {}, more: 1 }])(
    'is refused with 400 as %j',
    async (body) => {
      expect((await call({ method: 'POST', path: '/registrations/service-order', body })).status).toBe(400);
    },
  );

  it('is made once however often it is asked with one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const ask = (attributes: Record<string, unknown>) =>
      call({ method: 'POST', path: '/registrations/service-order', body: { attributes }, headers });
    const [first, again] = [await ask(order), await ask(order)];
    expect(again.status).toBe(first.status);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('etag')).toBe('"v1"');
    expect((await ask({ ...order, companyName: 'Other Ltd' })).status).toBe(422);
  });

  it('is for services only', async () => {
    for (const role of ['customer', 'support', 'partner']) {
      const answer = await call({
        method: 'POST',
        path: '/registrations/subscription',
        as: [role, 'x'],
        body: { attributes: {} },
      });
      expect(answer.status).toBe(403);
    }
  });
});

describe('a profile', () => {
  it('is read by its customer and by staff, and by no other customer', async () => {
    const customer = await registered();
    const path = `/customers/${customer}`;
    const own = await call({ path, as: ['customer', customer] });
    expect(own).toMatchObject({
      status: 200,
      body: { customer, version: 1, door: 'service-order', attributes: order },
    });
    expect(own.headers.get('etag')).toBe('"v1"');
    expect(
      (await call({ path: path.toUpperCase().replace('/CUSTOMERS', '/customers'), as: ['support', 's'] })).status,
    ).toBe(200);
    expect((await call({ path, as: ['customer', randomUUID()] })).status).toBe(403);
    expect((await call({ path, as: ['partner', 'northern-hosting'] })).status).toBe(403);
    expect((await call({ path: `/customers/${randomUUID()}`, as: ['support', 's'] })).status).toBe(404);
    expect((await call({ path: '/customers/nobody', as: ['support', 's'] })).status).toBe(400);
  });

  it('is changed by who knows its version, and every change is published', async () => {
    const customer = await registered();
    const change = (body: unknown, ifMatch?: string) =>
      call({
        method: 'PATCH',
        path: `/customers/${customer}/attributes`,
        as: ['customer', customer],
        body,
        ...(ifMatch !== undefined && { headers: { 'if-match': ifMatch } }),
      });
    expect((await change({ companyName: 'New Ltd' })).status).toBe(428);
    expect((await change({ companyName: 'New Ltd' }, '"v2"')).status).toBe(412);
    const changed = await change({ companyName: 'New Ltd', email: 'a@example.com', phone: null }, '"v1"');
    expect(changed).toMatchObject({ status: 200, body: { customer, version: 2 } });
    expect(changed.headers.get('etag')).toBe('"v2"');
    const { body } = await call({ path: `/customers/${customer}`, as: ['customer', customer] });
    const { phone: _gone, ...rest } = order;
    expect(body).toMatchObject({ version: 2 });
    expect(body.attributes).toEqual({ ...rest, companyName: 'New Ltd', email: 'a@example.com' });

    const events = await profilesOf(customer);
    expect(events.map(({ version }) => version)).toEqual([1, 2]);
    const versions = Object.entries(events[1]?.attributes ?? {}).map(([name, value]) => [name, value?.version]);
    expect(Object.fromEntries(versions)).toEqual({ companyName: 2, email: 2, servicesUsed: 1, registeredAddress: 1 });
  });

  it('loses a voluntary attribute when it is withdrawn, never a compulsory one (P1)', async () => {
    const customer = await registered();
    const withdraw = (name: string, headers?: Record<string, string>) =>
      call({
        method: 'DELETE',
        path: `/customers/${customer}/attributes/${name}`,
        as: ['customer', customer],
        ...(headers !== undefined && { headers }),
      });
    expect((await withdraw('phone')).status).toBe(428);
    expect(await withdraw('companyName', { 'if-match': '"v1"' })).toMatchObject({
      status: 422,
      body: { code: 'compulsory-attribute-withdrawn', field: 'companyName', promise: 'P1' },
    });
    expect(await withdraw('phone', { 'if-match': '"v1"' })).toMatchObject({ status: 200, body: { version: 2 } });
    const events = await profilesOf(customer);
    expect(Object.keys(events.at(-1)?.attributes ?? {})).not.toContain('phone');
    // Nothing is left to withdraw: no version is used up, and nobody is told.
    expect(await withdraw('phone', { 'if-match': '"v2"' })).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await profilesOf(customer)).toHaveLength(2);
  });

  it('takes one of many changes made at once from the same version', async () => {
    const customer = await registered();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        call({
          method: 'PATCH',
          path: `/customers/${customer}/attributes`,
          as: ['customer', customer],
          body: { companyName: `Company ${at}` },
          headers: { 'if-match': '"v1"' },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(412)]);
    expect(await profilesOf(customer)).toHaveLength(2);
  });

  it('lies in the database sealed, and does not open for another customer', async () => {
    const [one, other] = [await registered(), await registered()];
    const rows: { sealed: Buffer }[] = await database.query(
      `SELECT sealed FROM attribute_values WHERE customer = $1 AND name = 'companyName'`,
      [one],
    );
    const sealed = rows[0]?.sealed;
    expect(sealed?.includes('Example')).toBe(false);
    await database.query(`UPDATE attribute_values SET sealed = $1 WHERE customer = $2 AND name = 'companyName'`, [
      sealed,
      other,
    ]);
    const answer = await call({ path: `/customers/${other}`, as: ['support', 's'] });
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('Example');
  });
});

describe('an import', () => {
  it('does not lose good rows to one with control characters', async () => {
    const rows = [
      { key: 'a', attributes: order },
      { key: 'b', attributes: { ...order, companyName: 'x\u0000' } },
      { key: 'c', attributes: order },
    ];
    const answer = await call({
      method: 'POST',
      path: '/imports/customers',
      as: ['service', 'importer'],
      body: { door: 'service-order', rows },
    });
    expect(answer.status).toBe(200);
    expect(answer.body.rows.map(({ outcome }) => outcome)).toEqual(['created', 'refused', 'created']);
    const [event] = await profilesOf(answer.body.rows[0]?.customer ?? '');
    expect(event?.origin).toBe('imported');
  });

  it('takes 500 rows a call', async () => {
    const rows = Array<unknown>(501).fill({});
    const answer = await call({ method: 'POST', path: '/imports/customers', body: { door: 'service-order', rows } });
    expect(answer).toMatchObject({ status: 400, body: { field: 'rows' } });
  });
});

describe('keys', () => {
  it.each([
    ['service', 'portal'],
    ['support', 'partner-sharing'],
    ['partner', 'partner-sharing'],
    ['customer', 'partner-sharing'],
  ])('are not handed to %s %s', async (role, sub) => {
    const answer = await call({
      method: 'POST',
      path: '/internal/keys',
      as: [role, sub],
      body: { customers: [await registered()] },
    });
    expect(answer.status).toBe(403);
    expect(JSON.stringify(answer.body)).not.toContain('dataKey');
  });

  it('are handed to partner-sharing in batches, leaving out who is unknown', async () => {
    const customer = await registered();
    const unknown = Array.from({ length: 999 }, () => randomUUID());
    expect([...(await custodyClient().keysOf([customer, ...unknown])).keys()]).toEqual([customer]);
  });
});

describe('the catalogue and the statement', () => {
  it('can be read by everyone with a token', async () => {
    const catalogue = await call({ path: '/catalogue', as: ['customer', randomUUID()] });
    expect(catalogue.body.purposes.invoicing.compulsory).toEqual(['companyName', 'servicesUsed', 'registeredAddress']);
    for (const version of ['1', 'current']) {
      const { body } = await call({ path: `/statements/${version}`, as: ['partner', 'northern-hosting'] });
      expect(body).toEqual({
        version: 1,
        effectiveFrom: '2026-01-01T00:00:00.000Z',
        sha256: statement.sha256,
        text: statement.text,
      });
    }
    expect((await call({ path: '/statements/2' })).status).toBe(404);
    expect((await call({ path: '/statements/x' })).status).toBe(404);
  });

  it('is published once, and never under its number with another text (P17)', async () => {
    await loadStatements(transactions, [statement]);
    expect(await published('customers.statements.v1', '1')).toEqual([
      { version: 1, effectiveFrom: '2026-01-01T00:00:00.000Z', sha256: statement.sha256 },
    ]);
    await expect(
      loadStatements(transactions, [parseStatement(1, 'Other.\nEffective from: 2026-01-01\n')]),
    ).rejects.toThrow(/new version/);
  });
});
