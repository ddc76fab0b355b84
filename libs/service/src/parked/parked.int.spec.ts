import { Module } from '@nestjs/common';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import {
  encodeEvent,
  newEventId,
  replies,
  resyncRequested,
  withdrawalConfirmed,
  type WireMessage,
} from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { Poison } from '@castiron/failures';
import { subscribe } from '@castiron/inbox';
import { connect } from '@castiron/kafka';
import { eventually, freshDatabaseUrl, uniqueSlug } from '@castiron/testing';
import { httpSettings, messagingSettings, parseSettings, runService, type RunningService } from '../index.js';
import { environmentOf } from '../testing/environment.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const { bootstrap } = inject('stack').kafka;
const slug = uniqueSlug();
const topic = replies.of(slug);
const { subject } = withdrawalConfirmed.example;
const confirmation = (): WireMessage =>
  encodeEvent(withdrawalConfirmed, withdrawalConfirmed.example, { id: newEventId(), time: new Date() }, slug);

@Module({})
class NothingModule {}

let folder: string;
let idp: TestIssuer;
let service: RunningService;
let poisonous = true;
let slow = false;
const handled: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-parked-'));
  const keyFile = join(folder, 'service.key');
  await writeFile(keyFile, newKey().toString('base64'), { mode: 0o600 });
  idp = await startTestIssuer();
  const kafka = connect({ brokers: [bootstrap], clientId: 'spec', ...principal });
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await admin.createTopics([topic]);
  await producer.send([confirmation(), confirmation(), { ...confirmation(), value: 'quince' }]);
  await Promise.all([admin.close(), producer.close()]);
  const databaseUrl = await freshDatabaseUrl();
  const env = environmentOf({ principal: 'admin', issuer: idp.issuer, databaseUrl, keyFile });
  service = await runService({
    settings: parseSettings(env, { ...httpSettings(uniqueSlug('svc')), ...messagingSettings }),
    migrations: [],
    publications: {},
    module: NothingModule,
    inbox: () => ({
      topics: [topic.name],
      ignored: [resyncRequested],
      subscriptions: [
        subscribe(withdrawalConfirmed, {
          async handle({ key }, { manager }) {
            if (poisonous) throw new Poison('of-no-use');
            if (slow) await manager.query('SELECT pg_sleep(3.2)');
            handled.push(key);
          },
        }),
      ],
    }),
    exit: () => undefined,
  });
});
afterAll(async () => {
  await service.stop();
  await idp.close();
  await rm(folder, { recursive: true });
});

async function call(role: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${service.url}/parked-messages${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await idp.mint(role, `the-${role}`)}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const officer = (method: string, path: string, body?: unknown) => call('privacy-officer', method, path, body);
const idsOf = async () => {
  const { body } = await officer('GET', '');
  return (body['messages'] as { id: string }[]).map(({ id }) => id);
};

describe('the routes for parked messages', () => {
  it('let in staff that answers for it, and an auditor who looks', async () => {
    await eventually(async () => expect(await idsOf()).toHaveLength(3));
    const [id = ''] = await idsOf();
    for (const role of ['support', 'customer', 'partner', 'service'])
      expect((await call(role, 'GET', '')).status, role).toBe(403);
    for (const path of ['', '/causes', '/actions']) expect((await call('auditor', 'GET', path)).status, path).toBe(200);
    expect((await call('auditor', 'GET', `/${id}`)).status).toBe(403);
    for (const path of ['/replays', '/discards'])
      expect((await call('auditor', 'POST', path, { ids: [id], why: 'it was a test' })).status, path).toBe(403);
  });

  it('show nothing personal', async () => {
    for (const id of await idsOf()) {
      const { status, body } = await officer('GET', `/${id}`);
      expect([status, JSON.stringify(body)]).toEqual([200, expect.not.stringMatching(new RegExp(`quince|${subject}`))]);
    }
  });

  it.each([
    ['GET', '/x', undefined, 400],
    ['GET', '/99999999', undefined, 404],
    ['GET', '?limit=0', undefined, 400],
    ['GET', "?topic=a'b", undefined, 400],
    ['GET', '?state=gone', undefined, 400],
    ['POST', '/replays', {}, 400],
    ['POST', '/replays', { ids: [1] }, 400],
    ['POST', '/replays', { reason: 'of-no-use', after: '1-' }, 400],
    ['POST', '/replays', { reason: 'of-no-use', dryRun: 'no' }, 400],
    ['POST', '/replays', { reason: null, dryRun: false }, 400],
    ['POST', '/replays', { reason: 'of-no-use', after: null }, 400],
    ['POST', '/replays', { reason: 'of-no-use', dryRun: null }, 400],
    ['POST', '/discards', { ids: null, why: 'a test', dryRun: false }, 400],
    ['POST', '/discards', { reason: 'of-no-use', topic: null, why: 'a test', dryRun: false }, 400],
    ['POST', '/discards', { reason: 'of-no-use' }, 400],
    ['POST', '/discards', { reason: 'of-no-use', why: 'two\nlines' }, 400],
    ['POST', '/discards', { reason: 'of-no-use', why: 'a test', dryRun: 'no' }, 400],
  ])('refuse %s %s %j', async (method, path, body, status) => {
    expect((await officer(method, path, body)).status).toBe(status);
  });

  it('wait for a handler as long as the inbox does, which is longer than other requests wait for their database', async () => {
    [poisonous, slow] = [false, true];
    const ids = (await idsOf()).slice(0, 1);
    const { body } = await officer('POST', '/replays', { ids });
    [poisonous, slow] = [true, false];
    expect(body['messages']).toMatchObject([{ outcome: 'handled' }, { outcome: 'handled' }]);
  });

  it('replay and discard only where that is said, with a reason, and tell who did it', async () => {
    poisonous = false;
    const dry = await officer('POST', '/replays', { reason: 'of-no-use' });
    expect(dry).toMatchObject({ status: 200, body: { dryRun: true } });
    expect(dry.body['messages']).toMatchObject([{ outcome: 'handled' }, { outcome: 'handled' }]);
    expect(await idsOf()).toHaveLength(3);
    handled.length = 0;
    const done = await officer('POST', '/replays', { reason: 'of-no-use', dryRun: false });
    expect(done.body['messages']).toMatchObject([{ outcome: 'handled' }, { outcome: 'handled' }]);
    expect(handled).toEqual([subject, subject]);
    const [broken = ''] = await idsOf();
    expect(await officer('POST', '/replays', { ids: [broken], dryRun: false })).toMatchObject({
      body: { messages: [{ id: broken, outcome: 'still-parked', because: 'bad-json' }] },
    });
    const discard = { ids: [broken], why: 'it was a test' };
    expect((await officer('POST', '/discards', discard)).body).toEqual({ dryRun: true, ids: [broken] });
    expect(await idsOf()).toEqual([broken]);
    expect((await officer('POST', '/discards', { ...discard, dryRun: false })).body).toEqual({
      dryRun: false,
      ids: [broken],
    });
    expect(await idsOf()).toEqual([]);
    const { body } = await call('auditor', 'GET', `/actions?message=${broken}`);
    const acts = (body['actions'] as { action: string; actor: string; reason: string | null }[]).map(
      ({ action, actor, reason }) => [action, actor, reason],
    );
    expect(acts).toEqual([
      ['shown', 'the-privacy-officer', null],
      ['replay-failed', 'the-privacy-officer', 'bad-json'],
      ['discarded', 'the-privacy-officer', 'it was a test'],
    ]);
  });
});
