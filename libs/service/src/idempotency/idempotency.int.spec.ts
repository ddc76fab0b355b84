import { Body, Controller, Delete, Get, Inject, Module, Param, Patch, Post, Put, Res } from '@nestjs/common';
import { IsString } from 'class-validator';
import { randomBytes, randomUUID } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Roles, services } from '@castiron/access';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import { Refused } from '@castiron/failures';
import { createLogger, createMetrics, Health } from '@castiron/observability';
import { outboxMigrations } from '@castiron/outbox';
import { freshDatabase } from '@castiron/testing';
import { Transactions } from '@castiron/transactions';
import { AnswerStore } from './answer-store.js';
import { answerWithEffect } from './current-request.js';
import { MarkingTransactions } from './marking-transactions.js';
import { idempotencyMigrations } from './migration.js';
import { startService, type RunningService } from '../start-service.js';
import { httpSettings } from '../service-settings.js';
import { parseSettings } from '../settings.js';

class EffectDto {
  @IsString()
  mark!: string;
}

/** What the handler does after its effect; set by each test. */
let afterEffect: () => Promise<void> | void;
let beforeEffect: () => Promise<void> | void;

@Controller()
@Roles(services('portal', 'importer'))
class EffectsController {
  constructor(@Inject(Transactions) private readonly transactions: Transactions) {}

  @Post('effects')
  async effect(@Body() { mark }: EffectDto, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    await beforeEffect();
    const id = await this.transactions.run([], async (tx) => {
      const [row]: { id: string }[] = await tx.manager.query('INSERT INTO effects (mark) VALUES ($1) RETURNING id', [
        mark,
      ]);
      return row?.id;
    });
    await afterEffect();
    void reply.status(202).header('etag', '"v1"');
    return { id, secret: `password-of-${mark}` };
  }

  @Put('marks/:mark')
  put(@Param('mark') mark: string, @Body() body: unknown): Promise<object> {
    return this.record(`${mark}-put`, body);
  }

  @Patch('marks/:mark')
  patch(@Param('mark') mark: string, @Body() body: unknown): Promise<object> {
    return this.record(`${mark}-patch`, body);
  }

  @Delete('marks/:mark')
  remove(@Param('mark') mark: string): Promise<object> {
    return this.record(`${mark}-delete`, undefined);
  }

  @Get('marks/:mark')
  async read(@Param('mark') mark: string): Promise<object> {
    return { put: await effectsOf(`${mark}-put`) };
  }

  private record(mark: string, given: unknown): Promise<object> {
    return this.transactions.run([], async (tx) => {
      const [row]: { id: string }[] = await tx.manager.query('INSERT INTO effects (mark) VALUES ($1) RETURNING id', [
        mark,
      ]);
      return { id: row?.id, given };
    });
  }

  @Post('effects-with-answer')
  async withAnswer(@Body() { mark }: EffectDto): Promise<object> {
    const answer = await this.transactions.run([], async (tx) => {
      const [row]: { id: string }[] = await tx.manager.query('INSERT INTO effects (mark) VALUES ($1) RETURNING id', [
        mark,
      ]);
      const body = { id: row?.id };
      await answerWithEffect(tx.manager, { status: 201, headers: {}, body });
      return body;
    });
    await afterEffect();
    return answer;
  }
}

let idp: TestIssuer;
let dataSource: DataSource;
let service: RunningService;
let token: string;
const serviceKey = randomBytes(32);
const PATIENCE_MS = 1_000;

beforeAll(async () => {
  idp = await startTestIssuer();
  token = await idp.mint('service', 'portal');
  dataSource = await freshDatabase([...outboxMigrations, ...idempotencyMigrations]);
  await dataSource.query('CREATE TABLE effects (id bigint GENERATED ALWAYS AS IDENTITY, mark text NOT NULL)');
  const transactions = new MarkingTransactions(
    dataSource,
    { append: () => ({ name: 'nothing', text: 'SELECT' }), wake: () => undefined },
    {},
  );

  @Module({ controllers: [EffectsController], providers: [{ provide: Transactions, useValue: transactions }] })
  class EffectsModule {}

  service = await startService({
    name: 'svc',
    module: EffectsModule,
    settings: parseSettings({ CASTIRON_PORT: '0', OIDC_ISSUER: idp.issuer }, httpSettings('svc')),
    logger: createLogger('svc', 'silent'),
    health: new Health(),
    metrics: createMetrics('svc'),
    answers: new AnswerStore(dataSource, serviceKey, PATIENCE_MS),
    exit: () => undefined,
  });
});
afterAll(async () => {
  await service.stop();
  await dataSource.destroy();
  await idp.close();
});
beforeEach(() => {
  afterEffect = () => undefined;
  beforeEffect = () => undefined;
});

interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

async function send(
  key: string,
  body: object | undefined,
  path = '/effects',
  as = token,
  method = 'POST',
  more: Record<string, string> = {},
): Promise<Answered> {
  const type = body !== undefined && { 'content-type': 'application/json' };
  const answer = await fetch(`${service.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${as}`, 'idempotency-key': key, ...type, ...more },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown>, headers: answer.headers };
}

async function effectsOf(mark: string): Promise<number> {
  const [row]: { count: string }[] = await dataSource.query('SELECT count(*) FROM effects WHERE mark = $1', [mark]);
  return Number(row?.count);
}

/** As after a crash: the hold of every request that is not answered has run out. */
const letHoldsRunOut = (): Promise<unknown> =>
  dataSource.query("UPDATE http_idempotency SET held_until = clock_timestamp() - interval '1 second'");

describe('a request that is sent again with its key', () => {
  it('gets the same answer, status and headers included, and has one effect', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    const first = await send(key, { mark });
    const second = await send(key, { mark });
    expect(first.status).toBe(202);
    expect(second.status).toBe(202);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('etag')).toBe('"v1"');
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(await effectsOf(mark)).toBe(1);
  });

  it('with another body, or to another address, is refused with 422', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    await send(key, { mark });
    expect(await send(key, { mark: `${mark}x` })).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused', field: 'header idempotency-key' },
    });
    expect(await send(key, { mark }, '/effects-with-answer')).toMatchObject({ status: 422 });
    expect(await effectsOf(mark)).toBe(1);
  });

  it('by another caller is another request', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    await send(key, { mark });
    expect((await send(key, { mark }, '/effects', await idp.mint('service', 'importer'))).status).toBe(202);
    expect(await effectsOf(mark)).toBe(2);
  });

  it('while the first is under way waits for its answer, and gets 409 where that takes long', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const entered = new Promise<void>((resolve) => {
      beforeEffect = () => {
        resolve();
        return gate;
      };
    });
    const first = send(key, { mark });
    await entered;
    const before = Date.now();
    expect(await send(key, { mark })).toMatchObject({ status: 409, body: { code: 'request-in-flight' } });
    expect(Date.now() - before).toBeGreaterThan(PATIENCE_MS / 2);
    expect((await send(key, { mark: 'other' })).status, 'another body is told at once').toBe(422);
    const waiting = send(key, { mark });
    go();
    expect((await first).status).toBe(202);
    expect((await waiting).body).toEqual((await first).body);
    expect(await effectsOf(mark)).toBe(1);
  });

  it('twenty times at once has one effect, and all get its answer', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(key, { mark })));
    expect(await effectsOf(mark)).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it.each(['PUT', 'PATCH', 'DELETE'])('by %s is the same request too', async (method) => {
    const [key, mark] = [randomUUID(), randomUUID()];
    const body = method === 'DELETE' ? undefined : { a: 1 };
    const again = (sent: object | undefined, more?: Record<string, string>) =>
      send(key, sent, `/marks/${mark}`, token, method, more);
    const first = await again(body);
    const second = await again(body);
    expect(first).toMatchObject({ status: 200, body: { id: expect.any(String) as string } });
    expect(second).toMatchObject({ status: 200, body: first.body });
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    const reused = { status: 422, body: { code: 'idempotency-key-reused' } };
    expect(await again({ a: 2 })).toMatchObject(reused);
    expect(await again(body, { 'if-match': '"v2"' })).toMatchObject(reused);
    expect(await effectsOf(`${mark}-${method.toLowerCase()}`)).toBe(1);
  });

  it('by GET is read anew', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    const read = () => send(key, undefined, `/marks/${mark}`, token, 'GET');
    expect((await read()).body).toEqual({ put: 0 });
    await send(randomUUID(), {}, `/marks/${mark}`, token, 'PUT');
    expect((await read()).body).toEqual({ put: 1 });
  });
});

describe('a request that failed', () => {
  it('before its effect leaves the key free', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    beforeEffect = () => {
      throw new Refused({ kind: 'conflict', code: 'not-yet', detail: 'Not yet.' });
    };
    expect((await send(key, { mark })).status).toBe(409);
    expect((await send(key, { wrong: true })).status).toBe(400);
    beforeEffect = () => undefined;
    expect((await send(key, { mark })).status).toBe(202);
    expect(await effectsOf(mark)).toBe(1);
  });

  it('while another waits for it leaves the key to that one', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    let fail: () => void = () => undefined;
    const gate = new Promise<void>((_resolve, reject) => (fail = () => reject(new Error('no'))));
    const entered = new Promise<void>((resolve) => {
      beforeEffect = () => {
        resolve();
        return gate;
      };
    });
    const first = send(key, { mark });
    await entered;
    beforeEffect = () => undefined;
    const second = send(key, { mark });
    fail();
    expect((await first).status).toBe(500);
    expect((await second).status).toBe(202);
    expect(await effectsOf(mark)).toBe(1);
  });

  it('after its effect never has a second one', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    afterEffect = () => {
      throw new Error('the process died here');
    };
    expect((await send(key, { mark })).status).toBe(500);
    afterEffect = () => undefined;
    await letHoldsRunOut();
    expect(await send(key, { mark })).toMatchObject({ status: 409, body: { code: 'answer-lost' } });
    expect(await effectsOf(mark)).toBe(1);
  });

  it('after an effect that holds its answer gives that answer', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    afterEffect = () => {
      throw new Error('the process died here');
    };
    expect((await send(key, { mark }, '/effects-with-answer')).status).toBe(500);
    afterEffect = () => undefined;
    const again = await send(key, { mark }, '/effects-with-answer');
    expect(again).toMatchObject({ status: 201, body: { id: expect.any(String) as string } });
    expect(await effectsOf(mark)).toBe(1);
  });

  it('in a crash before its effect can be sent again once its hold ran out, and the late first one rolls back', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const entered = new Promise<void>((resolve) => {
      beforeEffect = () => {
        resolve();
        return gate;
      };
    });
    const late = send(key, { mark });
    await entered;
    await letHoldsRunOut();
    beforeEffect = () => undefined;
    expect((await send(key, { mark })).status).toBe(202);
    go();
    expect(await late).toMatchObject({ status: 409, body: { code: 'request-in-flight' } });
    expect(await effectsOf(mark)).toBe(1);
  });
});

describe('what is kept', () => {
  it('shows neither key, body nor answer, and goes when its time is over', async () => {
    const [key, mark] = [randomUUID(), randomUUID()];
    await send(key, { mark });
    const rows: Record<string, unknown>[] = await dataSource.query('SELECT * FROM http_idempotency');
    const stored = rows
      .map((row) =>
        Object.values(row)
          .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value)))
          .join(),
      )
      .join();
    for (const readable of [key, mark, 'password-of']) expect(stored).not.toContain(readable);

    await dataSource.query("UPDATE http_idempotency SET expires_at = clock_timestamp() - interval '1 second'");
    await new AnswerStore(dataSource, serviceKey).sweep();
    expect(await dataSource.query('SELECT 1 FROM http_idempotency')).toEqual([]);
  });

  it('goes a thousand at a time, so that no statement takes longer than one may, however many there are', async () => {
    await dataSource.query(
      `INSERT INTO http_idempotency (id, fingerprint, holder, held_until, expires_at)
       SELECT sha256(n::text::bytea), '', gen_random_uuid(), '-infinity', '-infinity' FROM generate_series(1, 2500) AS n`,
    );
    await dataSource.query(`
      CREATE FUNCTION refuse_many() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM gone) > 1000 THEN RAISE 'too many at once'; END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER refuse_many AFTER DELETE ON http_idempotency REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_many()`);
    await new AnswerStore(dataSource, serviceKey).sweep();
    expect(await dataSource.query('SELECT FROM http_idempotency WHERE expires_at < now()')).toEqual([]);
  });

  it('refuses keys that are none', async () => {
    expect(await send('a b', { mark: 'x' })).toMatchObject({ status: 400, body: { code: 'invalid-idempotency-key' } });
    expect((await send('k'.repeat(129), { mark: 'x' })).status).toBe(400);
  });
});
