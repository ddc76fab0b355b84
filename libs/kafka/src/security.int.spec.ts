import { randomUUID } from 'node:crypto';
import { defineTopic } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import kafkajs from './kafkajs.js';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { connect } from './index.js';

const { bootstrap, principals } = inject('stack').kafka;
const principal = principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const kafkaOf = (who: { username: string; password: string }) =>
  connect({ brokers: [bootstrap], clientId: 'spec', ...who });
const kafka = kafkaOf(principal);
const admin = kafka.admin();
const producer = kafka.producer();
afterAll(async () => {
  await producer.close();
  await admin.close();
});

describe('a principal that is cut off', () => {
  it('gets nothing more over a connection that was open before', async () => {
    const { name: topic, ...rest } = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'events', partitions: 1 });
    await admin.createTopics([{ name: topic, ...rest }]);
    const who = { username: `p-${randomUUID()}`, password: randomUUID() };
    const rules = [
      { principal: `User:${who.username}`, resource: 'topic', name: topic, operation: 'read' },
      {
        principal: `User:${who.username}`,
        resource: 'group',
        name: `${who.username}.`,
        pattern: 'prefixed',
        operation: 'read',
      },
    ] as const;
    await admin.putUser(who.username, who.password);
    await admin.allow(rules);
    const seen: string[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      const options = { groupId: `${who.username}.spec`, follow: true, signal: stop.signal };
      for await (const { value } of kafkaOf(who).read(topic, options)) seen.push(String(value));
    })();
    const ended = reading.then(
      () => 'told to stop',
      () => 'refused',
    );
    const send = (value: string) => producer.send([{ topic, key: 'k', value, headers: {} }]);
    await send('before');
    await eventually(() => expect(seen).toEqual(['before']), { within: 20_000 });
    // Rules first: who is only deleted as a user keeps what is open until the broker asks for the password again.
    await admin.forbid(rules);
    await admin.deleteUser(who.username);
    await eventually(
      async () => {
        const { length } = seen;
        await send(`after, ${length} seen`);
        expect(await Promise.race([ended, Promise.resolve('still reading')])).toBe('refused');
      },
      { within: 20_000 },
    );
    // What was on its way when the rule went may have come; what was sent later has not.
    expect(seen.length).toBeLessThan(5);
    stop.abort();
  });
});

describe('the broker', () => {
  it('asks connections for their password again, and makes no topic for who only names one', async () => {
    const raw = new kafkajs.Kafka({
      brokers: [bootstrap],
      sasl: { mechanism: 'scram-sha-512', ...principal },
      logLevel: kafkajs.logLevel.NOTHING,
    }).admin();
    await raw.connect();
    const { resources } = await raw.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.BROKER, name: '1' }],
    });
    await raw.disconnect();
    const settings = new Map(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
    expect(settings.get('auto.create.topics.enable')).toBe('false');
    const reauth = Number(settings.get('connections.max.reauth.ms'));
    expect(reauth).toBeGreaterThan(0);
    expect(reauth).toBeLessThanOrEqual(300_000);
    expect(settings.get('allow.everyone.if.no.acl.found')).not.toBe('true');
  });
});
