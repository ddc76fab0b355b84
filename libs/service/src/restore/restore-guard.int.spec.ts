import { Controller, Delete, Get, Module, Post } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from 'typebox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { Roles } from '@castiron/access';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import { defineEvent, defineTopic } from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { connect, readAll } from '@castiron/kafka';
import { eventually, freshDatabaseUrl } from '@castiron/testing';
import { outboxKey, type Transactions } from '@castiron/transactions';
import {
  httpSettings,
  messagingSettings,
  OnlyTakesAway,
  parseSettings,
  runService,
  StandsStillWhileFenced,
  type Part,
  type Recovery,
  type RunningService,
} from '../index.js';
import { environmentOf } from '../testing/environment.js';

const done = (): object => ({ done: true });

@Controller('things')
@Roles('support')
class ThingsController {
  @Get()
  read(): object {
    return done();
  }
  @Post()
  add(): object {
    return done();
  }
  @Delete()
  @OnlyTakesAway()
  remove(): object {
    return done();
  }
  @Get('secret')
  @StandsStillWhileFenced()
  disclose(): object {
    return done();
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

let idp: TestIssuer;
let folder: string;
let keyFile: string;
beforeAll(async () => {
  idp = await startTestIssuer();
  folder = await mkdtemp(join(tmpdir(), 'castiron-guard-'));
  keyFile = join(folder, 'service.key');
  await writeFile(keyFile, newKey().toString('base64'), { mode: 0o600 });
});
afterAll(async () => {
  await idp.close();
  await rm(folder, { recursive: true });
});

const eventOn = (name: string) =>
  defineEvent({
    type: 'spec.thing.v1',
    topic: defineTopic({ name, kind: 'events' }),
    producer: 'notifications',
    classification: 'internal',
    personal: false,
    schema: Type.Object({ key: Type.String(), n: Type.Integer() }),
    key: (data) => data.key,
    example: { key: 'a', n: 1 },
  });

let topic: string;
let contract: ReturnType<typeof eventOn>;
let started: string[];
let lost: number[];
/** What the service does to catch up, beside telling what it was given. */
let recovering: () => Promise<void>;
let running: RunningService[];
let transactions: Transactions;

const kafka = () => {
  const { bootstrap, principals } = inject('stack').kafka;
  const { username = '', password = '' } = principals['admin'] ?? {};
  return connect({ brokers: [bootstrap], clientId: 'spec', username, password });
};

beforeEach(async () => {
  topic = `spec.${randomUUID()}.v1`;
  contract = eventOn(topic);
  [started, lost, running] = [[], [], []];
  recovering = () => Promise.resolve();
  const admin = kafka().admin();
  await admin.createTopics([contract.topic as ReturnType<typeof defineTopic>]);
  await admin.close();
});
afterEach(async () => {
  for (const service of running) await service.stop();
});

const part = (name: string, evenFenced: boolean): Part => ({
  name,
  evenFenced,
  start: () => Promise.resolve(void started.push(name)),
  stop: () => Promise.resolve(),
});

const recovery: Recovery = {
  recover: async (records, log) => {
    for (const { isKnown, value } of records.get(topic) ?? [])
      if (!isKnown) lost.push((JSON.parse(String(value)) as { n: number }).n);
    log.count('things taken away', lost.length);
    await recovering();
  },
};

async function start(databaseUrl: string, brokers?: readonly string[]): Promise<RunningService> {
  const env = environmentOf({ principal: 'admin', issuer: idp.issuer, databaseUrl, keyFile });
  const settings = parseSettings(env, { ...httpSettings('notifications'), ...messagingSettings });
  const service = await runService({
    settings: { ...settings, ...(brokers && { kafkaBrokers: brokers }) },
    migrations: [],
    publications: { contract },
    module: (wiring) => {
      ({ transactions } = wiring);
      return ThingsModule;
    },
    recovery: () => recovery,
    parts: () => [part('sends', false), part('keeps', true)],
    exit: () => undefined,
  });
  running.push(service);
  return service;
}

async function publish(numbers: readonly number[]): Promise<void> {
  for (const n of numbers)
    await transactions.run([outboxKey(topic, 'k')], (tx) => Promise.resolve(tx.publish(contract, { key: 'k', n })));
  await eventually(async () => {
    const found: number[] = [];
    for await (const { value } of readAll(kafka(), topic)) found.push((JSON.parse(String(value)) as { n: number }).n);
    expect(found).toEqual(expect.arrayContaining([...numbers]));
  });
}

async function ask(service: RunningService, method: string, path: string, body?: object) {
  const token = await idp.mint(path === '/recovery' ? 'privacy-officer' : 'support', 's');
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const ended = (service: RunningService, state: string) =>
  eventually(async () => expect((await ask(service, 'GET', '/recovery')).body).toMatchObject({ run: { state } }));

const readyOf = async (service: RunningService) =>
  (await (await fetch(`${service.url}/health/ready`)).json()) as { ok: boolean; background: Record<string, string> };

describe('a service whose database has all that it told', () => {
  it('starts as ever, and again after it was stopped', async () => {
    const url = await freshDatabaseUrl();
    const first = await start(url);
    expect((await ask(first, 'GET', '/recovery')).body).toEqual({ fenced: false });
    expect(started).toEqual(['keeps', 'sends']);
    await publish([1, 2, 3]);
    await first.stop();
    const second = await start(url);
    expect((await ask(second, 'POST', '/things')).status).toBe(201);
    expect(await ask(second, 'POST', '/recovery', {})).toMatchObject({ status: 409, body: { code: 'not-behind' } });
    expect(await readyOf(second)).toMatchObject({ ok: true, background: { restore: 'ok', 'own-topics': 'ok' } });
  });
});

describe('a service whose database has lost what it told', () => {
  /** As if it had been made anew: nothing is older. */
  async function restored(): Promise<[RunningService, string]> {
    const before = await start(await freshDatabaseUrl());
    await publish([1, 2, 3]);
    await before.stop();
    started = [];
    const url = await freshDatabaseUrl();
    return [await start(url), url];
  }

  it('answers what reads and what takes away, and starts nothing that sends', async () => {
    const [service] = await restored();
    expect((await ask(service, 'GET', '/recovery')).body).toMatchObject({
      fenced: true,
      because: { reason: 'behind', gaps: [{ topic, records: 3 }] },
    });
    expect(started).toEqual(['keeps']);
    expect(await readyOf(service)).toMatchObject({ ok: true, background: { restore: 'failed' } });
    const exposed = await (await fetch(`${service.url}/metrics`)).text();
    expect(exposed).toMatch(/castiron_restore_fenced\S* 1/);
    expect((await ask(service, 'GET', '/things')).status).toBe(200);
    expect((await ask(service, 'DELETE', '/things')).status).toBe(200);
    for (const [method, path] of [
      ['POST', '/things'],
      ['GET', '/things/secret'],
    ] as const)
      expect(await ask(service, method, path)).toMatchObject({ status: 503, body: { code: 'restored-and-fenced' } });
  });

  it('tells first what a recovery would do, goes on after it, and stays so', async () => {
    const [service, url] = await restored();
    expect((await ask(service, 'POST', '/recovery', { dryRun: true })).status).toBe(202);
    await ended(service, 'done');
    expect((await ask(service, 'GET', '/recovery')).body).toMatchObject({
      fenced: true,
      run: { dryRun: true, counts: { 'things taken away': 3 }, window: { from: expect.any(String) } },
    });
    expect(started).toEqual(['keeps']);
    lost = [];
    expect((await ask(service, 'POST', '/recovery', {})).status).toBe(202);
    await ended(service, 'done');
    expect(lost).toEqual([1, 2, 3]);
    expect((await ask(service, 'GET', '/recovery')).body).toMatchObject({ fenced: false });
    expect(started).toEqual(['keeps', 'sends']);
    expect((await ask(service, 'POST', '/things')).status).toBe(201);
    // Behind the ids of the life that was lost.
    await publish([4]);
    await service.stop();
    const again = await start(url);
    expect((await ask(again, 'GET', '/recovery')).body).toMatchObject({ fenced: false, run: { state: 'done' } });
  });

  it('begins a recovery again that was broken off', async () => {
    const [service] = await restored();
    recovering = () => Promise.reject(new Error('broken off'));
    await ask(service, 'POST', '/recovery', {});
    await ended(service, 'failed');
    expect((await ask(service, 'GET', '/recovery')).body).toMatchObject({ fenced: true });
    recovering = () => Promise.resolve();
    await ask(service, 'POST', '/recovery', {});
    await ended(service, 'done');
    expect((await ask(service, 'GET', '/recovery')).body).toMatchObject({ fenced: false });
  });

  it('goes on in its other replicas too', async () => {
    const [service, url] = await restored();
    const other = await start(url);
    expect((await ask(other, 'GET', '/recovery')).body).toMatchObject({ fenced: true });
    await ask(service, 'POST', '/recovery', {});
    await ended(service, 'done');
    await eventually(async () =>
      expect((await ask(other, 'GET', '/recovery')).body).toMatchObject({ fenced: false, run: { state: 'done' } }),
    );
  });
});

describe('a service that cannot read its topics', () => {
  it('does not know whether it was restored, and does as if it was', async () => {
    const service = await start(await freshDatabaseUrl(), ['127.0.0.1:1']);
    expect(await ask(service, 'POST', '/things')).toMatchObject({ status: 503, body: { code: 'topics-not-read' } });
    expect(await ask(service, 'POST', '/recovery', {})).toMatchObject({
      status: 503,
      body: { code: 'topics-not-read' },
    });
    expect((await ask(service, 'DELETE', '/things')).status).toBe(200);
    expect(await readyOf(service)).toMatchObject({ ok: true, background: { 'own-topics': 'failed', restore: 'ok' } });
    expect(started).toEqual(['keeps']);
  });
});
