import { Controller, Delete, Get, Module, Patch, Post } from '@nestjs/common';
import { randomBytes, randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Roles } from '@castiron/access';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import { NoRoom } from '@castiron/failures';
import { freshDatabase } from '@castiron/testing';
import { AnswerStore } from '../idempotency/answer-store.js';
import { idempotencyMigrations } from '../idempotency/migration.js';
import { startService, type RunningService } from '../start-service.js';
import { ServiceRig, problem } from '../testing/service.rig.js';
import { OnlyReads, OnlyTakesAway } from './takes-away.js';

const done = (): object => ({ done: true });

@Controller('things')
@Roles('support')
class ThingsController {
  @Post()
  add(): object {
    return done();
  }
  @Get('one')
  one(): object {
    return done();
  }
  @Post('queries')
  @OnlyReads()
  ask(): object {
    return done();
  }
  @Delete()
  @OnlyTakesAway()
  remove(): object {
    return done();
  }
  @Patch()
  @OnlyTakesAway((body) => Object.values(body as object).every((value) => value === null))
  change(): object {
    return done();
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

let isFull: boolean;
let idp: TestIssuer;
let database: DataSource;
let rig: ServiceRig;
let service: RunningService;

beforeAll(async () => {
  idp = await startTestIssuer();
  database = await freshDatabase(idempotencyMigrations);
  rig = new ServiceRig(idp.issuer, await idp.mint('support', 'support-1'));
  const room = {
    assertRoom: () => {
      if (isFull) throw new NoRoom('full');
    },
  };
  service = await startService(
    rig.optionsFor(ThingsModule, { room, answers: new AnswerStore(database, randomBytes(32)) }),
  );
});
afterAll(async () => {
  await service.stop();
  await database.destroy();
  await idp.close();
});

const ask = (method: string, path = '', body?: object, key?: string) =>
  rig.call(`/things${path}`, {
    base: service.url,
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { 'idempotency-key': key }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

describe('while the outbox is full', () => {
  it('what adds is refused with 503, a code and a time to come again, and what takes away or reads is answered', async () => {
    isFull = true;
    const refused = await ask('POST');
    expect(refused).toMatchObject(problem(503, { code: 'outbox-full', retryAfter: 10 }));
    expect(refused.headers.get('retry-after')).toBe('10');
    expect((await ask('PATCH', '', { phone: '1', email: null })).status).toBe(503);
    expect((await ask('PATCH', '', { phone: null })).status).toBe(200);
    expect((await ask('DELETE')).status).toBe(200);
    expect((await ask('POST', '/queries')).status).toBe(201);
    expect((await ask('GET', '/one')).status).toBe(200);
    expect(rig.lines.filter((line) => line.includes('request failed'))).toEqual([]);
  });

  it('an answer that was given before is given again, and a refused request leaves its key free', async () => {
    const [former, later] = [randomUUID(), randomUUID()];
    isFull = false;
    expect((await ask('POST', '', {}, former)).status).toBe(201);
    isFull = true;
    expect((await ask('POST', '', {}, former)).headers.get('idempotency-replayed')).toBe('true');
    expect((await ask('POST', '', {}, later)).status).toBe(503);
    isFull = false;
    const carriedOut = await ask('POST', '', {}, later);
    expect([carriedOut.status, carriedOut.headers.get('idempotency-replayed')]).toEqual([201, null]);
  });
});
