import { Controller, Get, Inject, Module, Post } from '@nestjs/common';
import { randomBytes, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { services, Roles } from '@castiron/access';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import { createLogger, createMetrics, Health } from '@castiron/observability';
import { eventually, freshDatabaseUrl, openDatabaseValve, type DatabaseValve } from '@castiron/testing';
import { Transactions } from '@castiron/transactions';
import { AnswerStore } from '../idempotency/answer-store.js';
import { MarkingTransactions } from '../idempotency/marking-transactions.js';
import { idempotencyMigrations } from '../idempotency/migration.js';
import { httpSettings } from '../service-settings.js';
import { parseSettings } from '../settings.js';
import { startService, type RunningService } from '../start-service.js';
import { createDataSource, migrated } from './data-source.js';

/** What an outage must not exceed, for any request. */
const WITHIN_MS = 5_000;

let inside: () => Promise<void> | void;

@Controller('marks')
@Roles(services('portal'))
class MarksController {
  constructor(
    @Inject(DataSource) private readonly database: DataSource,
    @Inject(Transactions) private readonly transactions: Transactions,
  ) {}

  @Get()
  async count(): Promise<object> {
    const [row]: { n: number }[] = await this.database.query('SELECT count(*)::int AS n FROM marks');
    return { n: row?.n };
  }

  @Post()
  async add(): Promise<object> {
    await this.transactions.run([], async (tx) => {
      await tx.manager.query('INSERT INTO marks DEFAULT VALUES');
      await inside();
    });
    return { added: true };
  }
}

let idp: TestIssuer;
let valve: DatabaseValve;
let behind: DataSource;
let direct: DataSource;
let service: RunningService;
let token: string;
const lines: string[] = [];

beforeAll(async () => {
  idp = await startTestIssuer();
  token = await idp.mint('service', 'portal');
  const url = await freshDatabaseUrl();
  const logger = createLogger('svc', 'info', { write: (line) => void lines.push(line) });
  direct = await migrated(createDataSource(url, idempotencyMigrations, logger), logger);
  await direct.query('CREATE TABLE marks (id bigint GENERATED ALWAYS AS IDENTITY)');
  valve = await openDatabaseValve(url);
  behind = await migrated(createDataSource(valve.url, idempotencyMigrations, logger), logger);
  const transactions = new MarkingTransactions(
    behind,
    { append: () => ({ name: 'nothing', text: 'SELECT' }), wake: () => undefined },
    {},
  );

  @Module({
    controllers: [MarksController],
    providers: [
      { provide: DataSource, useValue: behind },
      { provide: Transactions, useValue: transactions },
    ],
  })
  class MarksModule {}

  const health = new Health();
  health.addCheck('database', async () => void (await behind.query('SELECT 1')));
  service = await startService({
    name: 'svc',
    module: MarksModule,
    settings: parseSettings({ CASTIRON_PORT: '0', OIDC_ISSUER: idp.issuer }, httpSettings('svc')),
    logger,
    health,
    metrics: createMetrics('svc'),
    answers: new AnswerStore(behind, randomBytes(32)),
    exit: () => undefined,
  });
});
afterAll(async () => {
  if (valve !== undefined) valve.state = 'open';
  await service?.stop();
  await behind?.destroy();
  await direct?.destroy();
  await valve?.close();
  await idp?.close();
});
beforeEach(async () => {
  inside = () => undefined;
  valve.state = 'open';
  await eventually(async () => expect((await call('GET')).status).toBe(200));
});

interface Answered {
  readonly status: number;
  readonly ms: number;
  readonly retryAfter: string | null;
  readonly body: Record<string, unknown>;
}

async function call(method: string, key?: string, path = '/marks'): Promise<Answered> {
  const before = Date.now();
  const answer = await fetch(`${service.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(key !== undefined && { 'idempotency-key': key }) },
    signal: AbortSignal.timeout(30_000),
  });
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, ms: Date.now() - before, retryAfter: answer.headers.get('retry-after'), body };
}

const marks = async (): Promise<number> => {
  const [row]: { n: number }[] = await direct.query('SELECT count(*)::int AS n FROM marks');
  return row?.n ?? -1;
};

function expectUnavailable(answers: readonly Answered[]): void {
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily-unavailable' } });
    expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    expect(answer.ms).toBeLessThan(WITHIN_MS);
  }
}

describe('while the database is away', () => {
  it.each(['deaf', 'cut'] as const)(
    'and its connections are %s, every request is answered 503 within 5 s, and 200 by itself once it is back',
    async (state) => {
      valve.state = state;
      // More than there are connections, so that some meet a pool that is used up.
      const many = Array.from({ length: 25 }, (_, n) =>
        n % 2 === 0 ? call('GET') : call('POST', n % 4 === 1 ? randomUUID() : undefined),
      );
      expectUnavailable(await Promise.all(many));
      expectUnavailable([await call('POST', randomUUID()), await call('GET')]);
      expect(await call('GET', undefined, '/health/ready')).toMatchObject({ status: 503, body: { ok: false } });
      expect(await call('GET', undefined, '/health/live')).toMatchObject({ status: 200, body: { ok: true } });
      valve.state = 'open';
      await eventually(async () => expect((await call('POST')).status).toBe(201));
      await eventually(async () => expect((await call('GET', undefined, '/health/ready')).status).toBe(200));
    },
    60_000,
  );

  it('a request that meets the silence in the middle of its transaction is answered too, and its key is free again', async () => {
    const key = randomUUID();
    const before = await marks();
    inside = () => void (valve.state = 'deaf');
    expectUnavailable([await call('POST', key)]);
    inside = () => undefined;
    valve.state = 'open';
    await eventually(async () => expect(await call('POST', key)).toMatchObject({ status: 201 }));
    expect(await marks()).toBe(before + 1);
  }, 60_000);
});

describe('a key', () => {
  it('that may have been taken, though nobody heard so, is free again once the database is back', async () => {
    const key = randomUUID();
    const before = await marks();
    valve.deafAfter = 'INSERT INTO http_idempotency';
    expectUnavailable([await call('POST', key)]);
    valve.state = 'open';
    await eventually(async () => expect(await call('POST', key)).toMatchObject({ status: 201 }), { within: 15_000 });
    expect(await marks()).toBe(before + 1);
  }, 60_000);

  it('that nobody can have taken, for there was no connection, is not asked for again', async () => {
    const own = await createDataSource(valve.url, [], createLogger('svc', 'silent')).initialize();
    valve.state = 'cut';
    await expect(own.query('SELECT 1'), 'the connection that was open').rejects.toThrow();
    const asked = vi.spyOn(own, 'query');
    const request = { caller: 'portal', method: 'POST', address: '/marks', condition: undefined, body: undefined };
    const taken = new AnswerStore(own, randomBytes(32)).take({ ...request, key: randomUUID() });
    await expect(taken).rejects.toThrow();
    expect(asked).toHaveBeenCalledTimes(1);
    await own.destroy();
  });
});

describe('a commit whose answer is lost', () => {
  it('is answered 503 and has one effect: a repetition with its key is told so, and makes no second one', async () => {
    const key = randomUUID();
    const before = await marks();
    valve.deafAfter = 'COMMIT\0';
    expectUnavailable([await call('POST', key)]);
    expect(await marks()).toBe(before + 1);
    valve.state = 'open';
    await eventually(
      async () => expect(await call('POST', key)).toMatchObject({ status: 409, body: { code: 'answer-lost' } }),
      { within: 15_000 },
    );
    expect(await marks()).toBe(before + 1);
  }, 60_000);
});

describe('the log of an outage', () => {
  it('says what is wrong, and not once for each request', async () => {
    lines.length = 0;
    valve.state = 'cut';
    expectUnavailable(await Promise.all(Array.from({ length: 60 }, () => call('GET'))));
    const complaints = lines.filter((line) => /"level":"(?:warn|error)"/.test(line));
    expect(complaints.length).toBeGreaterThan(0);
    expect(complaints.length).toBeLessThan(15);
  }, 60_000);
});
