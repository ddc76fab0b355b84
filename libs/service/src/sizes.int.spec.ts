import { Body, Controller, Inject, Module, Post } from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Roles } from '@castiron/access';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import { defineEvent, defineTopic, MAX_BODY_BYTES } from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { subscribe } from '@castiron/inbox';
import { connect } from '@castiron/kafka';
import { eventually, freshDatabaseUrl, uniqueSlug } from '@castiron/testing';
import { outboxKey, Transactions } from '@castiron/transactions';
import { httpSettings, messagingSettings, parseSettings, runService, type RunningService } from './index.js';
import { environmentOf } from './testing/environment.js';
import { problem } from './testing/service.rig.js';

const { bootstrap, principals } = inject('stack').kafka;
const principal = principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');

const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'events', partitions: 1 });
const told = defineEvent({
  type: 'spec.told.v1',
  topic,
  producer: 'notifications',
  classification: 'internal',
  personal: false,
  schema: Type.Object({ text: Type.String() }),
  key: () => 'one',
  example: { text: 'a' },
});

class TextDto {
  @IsString()
  text!: string;

  /** How often the event repeats it. */
  @IsInt()
  times!: number;
}

@Controller('texts')
@Roles('support')
class TextsController {
  constructor(@Inject(Transactions) private readonly transactions: Transactions) {}

  @Post()
  async tell(@Body() { text, times }: TextDto): Promise<object> {
    await this.transactions.run([outboxKey(topic.name, 'one')], (tx) =>
      Promise.resolve(tx.publish(told, { text: text.repeat(times) })),
    );
    return { told: true };
  }
}

@Module({ controllers: [TextsController] })
class TextsModule {}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

let folder: string;
let idp: TestIssuer;
let service: RunningService;
const handled: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-sizes-'));
  const keyFile = join(folder, 'service.key');
  await writeFile(keyFile, newKey().toString('base64'), { mode: 0o600 });
  idp = await startTestIssuer();
  const admin = connect({ brokers: [bootstrap], clientId: 'spec', ...principal }).admin();
  await admin.createTopics([topic]);
  await admin.close();
  const databaseUrl = await freshDatabaseUrl();
  const env = environmentOf({ principal: 'admin', issuer: idp.issuer, databaseUrl, keyFile });
  service = await runService({
    settings: parseSettings(env, { ...httpSettings(uniqueSlug('svc')), ...messagingSettings }),
    migrations: [],
    publications: { told },
    module: TextsModule,
    inbox: () => ({
      topics: [topic.name],
      subscriptions: [
        subscribe(told, {
          handle({ data }) {
            handled.push(hashOf(data?.text ?? ''));
            return Promise.resolve();
          },
        }),
      ],
    }),
    exit: () => undefined,
  });
});
afterAll(async () => {
  await service?.stop();
  await idp?.close();
  await rm(folder, { recursive: true });
});

async function post(body: string) {
  const answer = await fetch(`${service.url}/texts`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await idp.mint('support', 'anna')}`,
      'content-type': 'application/json',
    },
    body,
  });
  return { status: answer.status, type: answer.headers.get('content-type'), body: (await answer.json()) as object };
}
const bodyOf = (text: string, times = 1): string => `{"text":"${text}","times":${times}}`;
/** As many of these pieces of JSON as a body has room for, and letters where the last one does not fit. */
function largest(piece: string): string {
  const room = MAX_BODY_BYTES - bodyOf('').length;
  const size = Buffer.byteLength(piece);
  return piece.repeat(Math.floor(room / size)) + 'x'.repeat(room % size);
}

describe('the largest body', () => {
  it.each([
    ['letters', 'x'],
    ['letters of three bytes', '漢'],
    ['line breaks', String.raw`\n`],
    ['quotes', String.raw`\"`],
  ])(
    'of %s comes through outbox, topic and inbox to its handler, and one byte more is refused',
    async (_name, piece) => {
      const text = largest(piece);
      expect(Buffer.byteLength(bodyOf(text))).toBe(MAX_BODY_BYTES);
      expect((await post(bodyOf(text))).status).toBe(201);
      const { text: meant } = JSON.parse(bodyOf(text)) as { text: string };
      await eventually(() => expect(handled).toContain(hashOf(meant)));
      expect(await post(bodyOf(`${text}x`))).toMatchObject(
        problem(413, { code: 'body-too-large', detail: `The body is over the limit of ${MAX_BODY_BYTES} bytes.` }),
      );
    },
  );

  it('is refused where more would be told of it than a message holds, and nothing waits behind it', async () => {
    const quarter = largest('x');
    expect(await post(bodyOf(quarter, 4))).toMatchObject(problem(413, { code: 'event-too-large' }));
    // Room for its headers, which take some 500 bytes.
    const largestEvent = quarter.slice(150);
    expect((await post(bodyOf(largestEvent, 4))).status).toBe(201);
    expect((await post(bodyOf('after it'))).status).toBe(201);
    await eventually(() => expect(handled).toContain(hashOf(largestEvent.repeat(4))));
    await eventually(() => expect(handled).toContain(hashOf('after it')));
  });
});
