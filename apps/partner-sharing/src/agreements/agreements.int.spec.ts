import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Module, type DynamicModule } from '@nestjs/common';
import { agreementChanged, agreementNotice, decodeMessage, type RecipientKind } from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { connect } from '@castiron/kafka';
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
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { lockEpochsShared } from '../epochs/epoch-locks.js';
import { CommandsController } from '../commands/commands.controller.js';
import { Fence } from '../fence/fence.js';
import { GiveCredentialsUseCase } from '../recipients/give-credentials/give-credentials.use-case.js';
import { CredentialsController } from '../recipients/give-credentials/credentials.controller.js';
import { KafkaProvisioning, type Provisioning } from '../recipients/provisioning.js';
import { ReadRecipientsController } from '../recipients/read-recipients/recipients-read.controller.js';
import { RegisterRecipientController } from '../recipients/register-recipient/recipients.controller.js';
import { RegisterRecipientUseCase } from '../recipients/register-recipient/register-recipient.use-case.js';
import { ReleaseSignals } from '../release/release-signals.js';
import { publications } from '../publications.js';
import { DraftAgreementController } from './draft-agreement/draft-agreement.controller.js';
import { DraftAgreementUseCase } from './draft-agreement/draft-agreement.use-case.js';
import { TermKeeper } from './keep-terms/term-keeper.js';
import { ReadAgreementsController } from './read-agreements/agreements-read.controller.js';
import { SignAgreementUseCase } from './sign-agreement/sign-agreement.use-case.js';
import { SignaturesController } from './sign-agreement/signatures.controller.js';
import { TerminateAgreementUseCase } from './terminate-agreement/terminate-agreement.use-case.js';
import { TerminationController } from './terminate-agreement/termination.controller.js';

function brokerAt(address: string): Provisioning {
  const provisioner = inject('stack').kafka.principals['provisioner'];
  if (provisioner === undefined) throw new Error('the stack has no provisioner');
  return new KafkaProvisioning(connect({ brokers: [address], clientId: 'spec', ...provisioner }));
}

/** The stack's broker, or for a while one at a port where nothing listens. */
class BrokerThatGoesAway implements Provisioning {
  isAway = false;
  private readonly there = brokerAt(inject('stack').kafka.bootstrap);
  private readonly nowhere = brokerAt('127.0.0.1:1');

  prepare(slug: string): Promise<void> {
    return (this.isAway ? this.nowhere : this.there).prepare(slug);
  }

  admit(slug: string, password: string): Promise<void> {
    return (this.isAway ? this.nowhere : this.there).admit(slug, password);
  }
}

@Module({})
class RecipientsAndAgreements {}

const broker = new BrokerThatGoesAway();
const signals = new ReleaseSignals();
const watched: string[] = [];
let database: DataSource;
let service: RunningService;
let keeper: TermKeeper;

function moduleOf(transactions: MarkingTransactions, termination: TerminateAgreementUseCase): DynamicModule {
  const provide = (token: abstract new (...args: never[]) => unknown, useValue: unknown) => ({
    provide: token,
    useValue,
  });
  const onRecipient = async (slug: string): Promise<void> => void watched.push(slug);
  return {
    module: RecipientsAndAgreements,
    controllers: [
      RegisterRecipientController,
      ReadRecipientsController,
      CredentialsController,
      DraftAgreementController,
      ReadAgreementsController,
      SignaturesController,
      TerminationController,
      CommandsController,
    ],
    providers: [
      provide(DataSource, database),
      provide(Fence, new Fence(database, signals, 50)),
      provide(RegisterRecipientUseCase, new RegisterRecipientUseCase(database, broker, signals, onRecipient)),
      provide(GiveCredentialsUseCase, new GiveCredentialsUseCase(database, broker)),
      provide(DraftAgreementUseCase, new DraftAgreementUseCase(transactions)),
      provide(SignAgreementUseCase, new SignAgreementUseCase(database, transactions, signals)),
      provide(TerminateAgreementUseCase, termination),
    ],
  };
}

beforeAll(async () => {
  database = await freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]);
  const transactions = new MarkingTransactions(database, { append: appendToOutbox, wake: () => {} }, publications);
  const termination = new TerminateAgreementUseCase(database, transactions, signals);
  keeper = new TermKeeper(database, transactions, termination, signals);
  const name = 'partner-sharing';
  service = await startService({
    name,
    module: moduleOf(transactions, termination),
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
  await database?.destroy();
});

type Who = readonly [role: string, sub: string];
const officer: Who = ['privacy-officer', 'officer-1'];
const partnerOf = (slug: string): Who => ['partner', slug];

async function call(method: string, path: string, as: Who, body?: unknown, headers: Record<string, string> = {}) {
  const token = await mintToken(inject('stack').identity, ...as);
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
}

async function newRecipient(kind: RecipientKind = 'third-party'): Promise<string> {
  const slug = uniqueSlug();
  const { status, body } = await call('POST', '/recipients', officer, { slug, name: 'Some Partner', kind });
  expect(status, JSON.stringify(body)).toBe(201);
  return slug;
}

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();
const FOR_SECURITY = { purpose: 'security', attributes: ['companyName'], ground: 'permission' };

const draft = (recipient: string, terms: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  call(
    'POST',
    '/agreements',
    officer,
    {
      recipient,
      terms: { purposes: [FOR_SECURITY], highestTier: 'confidential', from: inDays(-1), until: inDays(365), ...terms },
    },
    headers,
  );

const sign = (agreement: string, side: string, as: Who) =>
  call('POST', `/agreements/${agreement}/signatures`, as, { side, name: 'A Signer', role: 'Director' });

const terminate = (agreement: string, as: Who = officer) =>
  call('POST', `/agreements/${agreement}/termination`, as, { reason: 'done' });

async function drafted(recipient: string, terms: Record<string, unknown> = {}): Promise<string> {
  const answer = await draft(recipient, terms);
  expect(answer).toMatchObject({ status: 201, body: { state: 'drafted' } });
  return String(answer.body['agreement']);
}

async function inForce(recipient: string, terms: Record<string, unknown> = {}): Promise<string> {
  const agreement = await drafted(recipient, terms);
  expect(await sign(agreement, 'company', officer)).toMatchObject({ status: 200, body: { state: 'drafted' } });
  expect(await sign(agreement, 'partner', partnerOf(recipient))).toMatchObject({
    status: 200,
    body: { state: 'in-force' },
  });
  return agreement;
}

/** What the outbox holds for an agreement: its states, and the notices to the recipient. */
async function published(agreement: string): Promise<{ topic: string; state: string; epoch?: number }[]> {
  const rows: { topic: string; payload: Buffer; headers: Record<string, string> }[] = await database.query(
    'SELECT aggregatetype AS topic, payload, headers FROM outbox WHERE aggregateid = $1 ORDER BY id',
    [agreement],
  );
  return rows.map(({ topic, payload, headers }) => {
    const decoded = decodeMessage({ topic, key: agreement, value: payload, headers }, [
      agreementChanged,
      agreementNotice,
    ]);
    if (!decoded.ok) throw new Error(decoded.reason);
    const { state, epoch } = decoded.event.data as { state: string; epoch?: number };
    return { topic, state, ...(epoch !== undefined && { epoch }) };
  });
}

const sweepsOf = (recipient: string): Promise<{ kind: string; cause: string }[]> =>
  database.query('SELECT kind, cause FROM sweeps WHERE recipient = $1 ORDER BY created_at, kind', [recipient]);

describe('a recipient', () => {
  it('is registered, prepared on the broker, watched, and read', async () => {
    const slug = await newRecipient('network-member');
    expect(watched).toContain(slug);
    const known = { slug, name: 'Some Partner', kind: 'network-member', purposes: null, provisioned: true };
    expect((await call('GET', `/recipients/${slug}`, ['customer', randomUUID()])).body).toEqual(known);
    expect((await call('GET', '/recipients', ['auditor', 'auditor-1'])).body['recipients']).toContainEqual(known);
    expect((await call('GET', `/recipients/${uniqueSlug()}`, officer)).status).toBe(404);
    expect(await sweepsOf(slug)).toEqual([]);
  });

  it('is registered once', async () => {
    const slug = await newRecipient();
    const again = { slug, name: 'Some Partner', kind: 'third-party' };
    expect(await call('POST', '/recipients', officer, again)).toMatchObject({
      status: 409,
      body: { code: 'recipient-exists', field: 'slug' },
    });
  });

  it('is prepared again by the same registration after the broker was away', async () => {
    const slug = uniqueSlug();
    const wanted = { slug, name: 'Late Ltd', kind: 'third-party' };
    const headers = { 'idempotency-key': randomUUID() };
    broker.isAway = true;
    expect(await call('POST', '/recipients', officer, wanted, headers)).toMatchObject({
      status: 503,
      body: { code: 'broker-unavailable' },
    });
    expect((await call('GET', `/recipients/${slug}`, officer)).body).toMatchObject({ provisioned: false });
    expect((await call('POST', `/recipients/${slug}/credentials`, officer)).status).toBe(409);
    broker.isAway = false;
    expect((await call('POST', '/recipients', officer, { ...wanted, name: 'Other' })).status).toBe(409);
    expect(await call('POST', '/recipients', officer, wanted, headers)).toMatchObject({
      status: 201,
      body: { provisioned: true },
    });
  });

  it('inside the house names its purposes, and its shares are made', async () => {
    const slug = uniqueSlug();
    const body = {
      slug,
      name: 'Analysis',
      kind: 'internal',
      purposes: [{ purpose: 'security', attributes: ['email'] }],
    };
    expect(await call('POST', '/recipients', officer, body)).toMatchObject({
      status: 201,
      body: { purposes: body.purposes },
    });
    expect(await sweepsOf(slug)).toEqual([{ kind: 'make-shares', cause: 'recipient-registered' }]);
    expect(await draft(slug)).toMatchObject({ status: 400, body: { code: 'recipient-internal', promise: 'P8' } });
  });

  it.each([
    ['a slug with a dot', { slug: 'p1.eu' }, 'slug'],
    ['an unknown kind', { kind: 'friend' }, 'kind'],
    ['a name of two lines', { name: 'a\nb' }, 'name'],
    ['purposes of a partner', { purposes: [{ purpose: 'security', attributes: ['email'] }] }, 'purposes'],
    ['an unknown field', { colour: 'red' }, 'colour'],
  ])('is refused with %s', async (_what, change, field) => {
    const body = { slug: uniqueSlug(), name: 'Some Partner', kind: 'third-party', ...change };
    expect(await call('POST', '/recipients', officer, body)).toMatchObject({ status: 400, body: { field } });
  });

  it('gets credentials from the privacy officer only, and a new password each time', async () => {
    const path = `/recipients/${await newRecipient()}/credentials`;
    const [one, other] = [await call('POST', path, officer), await call('POST', path, officer)];
    expect(one).toMatchObject({ status: 201, body: { username: path.split('/')[2] } });
    expect(String(one.body['password'])).toMatch(/^[\w-]{43}$/);
    expect(other.body['password']).not.toBe(one.body['password']);
    expect((await call('POST', path, ['support', 'support-1'])).status).toBe(403);
    expect((await call('POST', `/recipients/${uniqueSlug()}/credentials`, officer)).status).toBe(404);
  });

  it('that is a principal of the house gets none', async () => {
    const purposes = [{ purpose: 'notices', attributes: ['email'] }];
    const body = { slug: 'notifications', name: 'Notifications', kind: 'internal', purposes };
    expect((await call('POST', '/recipients', officer, body)).status).toBe(201);
    expect(await call('POST', '/recipients/notifications/credentials', officer)).toMatchObject({ status: 409 });
  });
});

describe('an agreement', () => {
  it('is drafted, signed by both sides, and terminated, each time told to all', async () => {
    const recipient = await newRecipient();
    const agreement = await inForce(recipient);
    expect((await call('GET', `/agreements/${agreement}`, officer)).body).toMatchObject({
      recipient,
      state: 'in-force',
      epoch: 1,
      terms: { purposes: [FOR_SECURITY], highestTier: 'confidential' },
      signatures: { company: { by: 'officer-1' }, partner: { by: recipient } },
    });
    expect(await sweepsOf(recipient)).toEqual([{ kind: 'renew-shares', cause: 'agreement-in-force' }]);
    expect(await terminate(agreement)).toMatchObject({
      status: 200,
      body: { state: 'terminated', epoch: 2, terminationReason: 'done' },
    });
    expect(await published(agreement)).toEqual([
      { topic: 'sharing.agreements.v1', state: 'drafted', epoch: 0 },
      { topic: 'sharing.agreements.v1', state: 'in-force', epoch: 1 },
      { topic: `duties.${recipient}.v1`, state: 'in-force' },
      { topic: 'sharing.agreements.v1', state: 'terminated', epoch: 2 },
      { topic: `duties.${recipient}.v1`, state: 'terminated' },
    ]);
    expect(await sweepsOf(recipient)).toContainEqual({ kind: 'renew-shares', cause: 'agreement-terminated' });
  });

  it('that lists cooperation has the shares of the network member made', async () => {
    const recipient = await newRecipient('network-member');
    await inForce(recipient, {
      purposes: [{ purpose: 'service-delivery', attributes: ['domainNames'], ground: 'cooperation' }],
    });
    expect((await sweepsOf(recipient)).map(({ kind }) => kind)).toEqual(['make-shares', 'renew-shares']);
  });

  it('is named by its id in any spelling', async () => {
    const recipient = await newRecipient();
    const agreement = await inForce(recipient);
    expect(await terminate(agreement.toUpperCase())).toMatchObject({ status: 200, body: { agreement } });
    expect((await published(agreement)).length).toBe(5);
    expect(await terminate('not-an-id')).toMatchObject({ status: 400, body: { field: 'agreement' } });
    expect((await terminate(randomUUID())).status).toBe(404);
  });

  let known: string | undefined;
  it.each([
    ['no terms', undefined, 'terms', 'P8'],
    ['an unknown purpose', { purposes: [{ ...FOR_SECURITY, purpose: 'resale' }] }, 'terms.purposes.0.purpose', 'P8'],
    ['an unknown ground', { purposes: [{ ...FOR_SECURITY, ground: 'own-purpose' }] }, 'terms.purposes.0.ground', 'P13'],
    [
      'cooperation with a third party',
      { purposes: [{ ...FOR_SECURITY, ground: 'cooperation' }] },
      'terms.purposes.0.ground',
      'P13',
    ],
    ['an unknown tier', { highestTier: 'secret' }, 'terms.highestTier', 'P7'],
    ['a day for an instant', { from: '2026-01-01' }, 'terms.from', 'P8'],
    ['a date that is none', { from: '2026-02-31T00:00:00Z' }, 'terms.from', 'P8'],
    ['a year out of bounds', { until: '9999-01-01T00:00:00Z' }, 'terms.until', 'P8'],
    ['a term backwards', { from: inDays(2), until: inDays(1) }, 'terms.until', 'P8'],
  ])('is refused with %s', async (_what, terms, field, promise) => {
    known ??= await newRecipient();
    const recipient = known;
    const answer =
      terms === undefined ? await call('POST', '/agreements', officer, { recipient }) : await draft(recipient, terms);
    expect(answer).toMatchObject({ status: 400, body: { field, promise } });
  });

  it('is refused for a recipient that nobody registered', async () => {
    expect(await draft(uniqueSlug())).toMatchObject({ status: 400, body: { field: 'recipient', promise: 'P8' } });
  });

  it('is drafted once by a repeated request', async () => {
    const recipient = await newRecipient();
    const [from, until] = [inDays(-1), inDays(1)];
    const headers = { 'idempotency-key': randomUUID() };
    const [first, second] = [
      await draft(recipient, { from, until }, headers),
      await draft(recipient, { from, until }, headers),
    ];
    expect(second).toEqual(first);
    expect((await call('GET', `/agreements?recipient=${recipient}`, officer)).body['agreements']).toHaveLength(1);
  });

  it('is signed by each side for itself', async () => {
    const recipient = await newRecipient();
    const agreement = await drafted(recipient);
    for (const [side, as] of [
      ['partner', officer],
      ['company', partnerOf(recipient)],
      ['partner', partnerOf(await newRecipient())],
    ] as const) {
      expect(await sign(agreement, side, as)).toMatchObject({ status: 403, body: { promise: 'P8' } });
    }
    expect((await sign(agreement, 'company', ['support', 'support-1'])).status).toBe(403);
    expect(await sign(agreement, 'both', officer)).toMatchObject({ status: 400, body: { field: 'side' } });
  });

  it('answers the same when a side signs again', async () => {
    const recipient = await newRecipient();
    const agreement = await drafted(recipient);
    const first = await sign(agreement, 'company', officer);
    expect(await sign(agreement, 'company', ['privacy-officer', 'officer-2'])).toEqual(first);
    const entered = await sign(agreement, 'partner', partnerOf(recipient));
    expect(await sign(agreement, 'partner', partnerOf(recipient))).toEqual(entered);
    expect((await published(agreement)).length).toBe(3);
  });

  it('is the only one in force, also where two are signed at once', async () => {
    const recipient = await newRecipient();
    const agreements = [await drafted(recipient), await drafted(recipient), await drafted(recipient)];
    for (const agreement of agreements) await sign(agreement, 'company', officer);
    const answers = await Promise.all(agreements.map((agreement) => sign(agreement, 'partner', partnerOf(recipient))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const winner = answers.find(({ status }) => status === 200)?.body['agreement'];
    const loser = answers.find(({ status }) => status === 409);
    expect(loser?.body).toMatchObject({ code: 'another-in-force', agreement: winner, promise: 'P8' });
    expect((await terminate(String(winner))).status).toBe(200);
    const other = agreements.find((agreement) => agreement !== winner) ?? '';
    expect(await sign(other, 'partner', partnerOf(recipient))).toMatchObject({
      status: 200,
      body: { state: 'in-force' },
    });
  });

  it('is terminated by either side, from in force only, and the answer names what is allowed', async () => {
    const recipient = await newRecipient();
    const agreement = await drafted(recipient);
    expect(await terminate(agreement)).toMatchObject({
      status: 409,
      body: { state: 'drafted', allowed: ['in-force'], promise: 'P8' },
    });
    await sign(agreement, 'company', officer);
    await sign(agreement, 'partner', partnerOf(recipient));
    expect((await terminate(agreement, partnerOf(await newRecipient()))).status).toBe(403);
    expect((await terminate(agreement, partnerOf(recipient))).status).toBe(200);
    expect(await terminate(agreement)).toMatchObject({ status: 409, body: { state: 'terminated', allowed: [] } });
    expect(await sign(agreement, 'company', officer)).toMatchObject({ status: 409, body: { allowed: [] } });
  });

  it('is terminated with 202 while a record decided under it is on its way', async () => {
    const recipient = await newRecipient();
    const agreement = await inForce(recipient);
    await database.query(
      `INSERT INTO sending_records (share, lane, token, batch, entry, customer, agreement, agreement_epoch, customer_epoch, share_epoch, outcome)
       VALUES ($1, 0, 1, $1, $1, $1, $2, 1, 0, 0, '{}')`,
      [randomUUID(), agreement],
    );
    const answer = await terminate(agreement, partnerOf(recipient));
    expect(answer).toMatchObject({ status: 202, body: { state: 'terminated' } });
    expect(answer.body['poll']).toBe(`/commands/${String(answer.body['command'])}`);
    const commands: unknown[] = await database.query(
      'SELECT scope, target, epoch, done_at FROM commands WHERE id = $1',
      [answer.body['command']],
    );
    expect(commands).toEqual([{ scope: 'agreement', target: agreement, epoch: '2', done_at: null }]);

    const poll = (as: Who) => call('GET', String(answer.body['poll']), as);
    expect((await poll(partnerOf(await newRecipient()))).status).toBe(404);
    expect(await poll(partnerOf(recipient))).toMatchObject({ status: 200, body: { state: 'waiting' } });
    await database.query('DELETE FROM sending_records WHERE agreement = $1', [agreement]);
    expect(await poll(partnerOf(recipient))).toMatchObject({ status: 200, body: { state: 'done' } });
  });

  it('waits for the releases under way before it can be ended', async () => {
    const agreement = await inForce(await newRecipient());
    let ended = false;
    let ending: Promise<unknown> = Promise.resolve();
    await database.transaction(async (manager) => {
      await lockEpochsShared(manager, { agreement: [agreement], customer: [], share: [] });
      ending = terminate(agreement).then(() => (ended = true));
      // Known to the database as waiting, so the test need not guess how long.
      await eventually(async () => {
        const waiting: unknown[] = await manager.query(
          `SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
           WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted`,
        );
        expect(waiting).not.toEqual([]);
      });
      expect(ended).toBe(false);
    });
    await ending;
    expect(ended).toBe(true);
  });

  it('is shown to staff, and to a partner only its own', async () => {
    const [recipient, other] = [await newRecipient(), await newRecipient()];
    const [own, foreign] = [await drafted(recipient), await drafted(other)];
    const listed = async (as: Who) =>
      ((await call('GET', '/agreements', as)).body['agreements'] as { agreement: string }[]).map(
        ({ agreement }) => agreement,
      );
    expect(await listed(partnerOf(recipient))).toEqual([own]);
    expect(await listed(['auditor', 'auditor-1'])).toEqual(expect.arrayContaining([own, foreign]));
    expect((await call('GET', `/agreements/${own}`, partnerOf(recipient))).status).toBe(200);
    expect((await call('GET', `/agreements/${foreign}`, partnerOf(recipient))).status).toBe(404);
    expect((await call('GET', `/agreements?recipient=${other}`, partnerOf(recipient))).body['agreements']).toHaveLength(
      1,
    );
    expect((await call('GET', '/agreements', ['customer', randomUUID()])).status).toBe(403);
  });
});

describe('the term of an agreement', () => {
  it('begins and ends by itself', async () => {
    const recipient = await newRecipient();
    const agreement = await inForce(recipient, { from: inDays(1) });
    expect(await sweepsOf(recipient)).toEqual([]);
    await keeper.keep();
    expect(await sweepsOf(recipient)).toEqual([]);

    await database.query(`UPDATE agreements SET valid_from = now() - interval '1 minute' WHERE id = $1`, [agreement]);
    await Promise.all([keeper.keep(), keeper.keep()]);
    await keeper.keep();
    expect(await sweepsOf(recipient)).toEqual([{ kind: 'renew-shares', cause: 'agreement-in-force' }]);

    await database.query('UPDATE agreements SET valid_until = now() WHERE id = $1', [agreement]);
    await Promise.all([keeper.keep(), keeper.keep()]);
    const ended = await call('GET', `/agreements/${agreement}`, officer);
    expect(ended.body).toMatchObject({ state: 'terminated', epoch: 2, terminationReason: 'The term is over.' });
    expect((await published(agreement)).filter(({ state }) => state === 'terminated')).toHaveLength(2);
  });
});
