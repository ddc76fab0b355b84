import { randomUUID } from 'node:crypto';
import { defineTopic } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import kafkajs from '../kafkajs.js';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { readAll } from '../index.js';
import { ConformanceRig, message } from '../testing/conformance.rig.js';

const rig = new ConformanceRig(inject('stack').kafka, inject('kafkaClient'));
const { admin } = rig;
afterAll(() => rig.close());

describe('topics', () => {
  it('are created with their settings, and again without complaint', async () => {
    const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'state', partitions: 3 });
    await Promise.all([admin.createTopics([topic]), rig.with({}).admin().createTopics([topic])]);
    await admin.createTopics([topic]);
    expect(await admin.topicNames()).toContain(topic.name);
    const raw = rig.raw().admin();
    const { resources } = await raw.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic.name }],
    });
    await raw.disconnect();
    const config = resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? [];
    expect(Object.fromEntries(config)).toMatchObject(topic.config);
  });

  it('say of each partition where a reader of committed messages finds its end', async () => {
    const topic = await rig.newTopic({ partitions: 3 });
    expect(await admin.endOffsets(topic)).toEqual([0, 1, 2].map((partition) => ({ partition, offset: '0' })));
    const one = await rig.newTopic();
    await rig.send(message(one, 'k', '1'));
    const open = await rig.openTransaction(message(one, 'k', '2'));
    await rig.send(message(one, 'k', '3'));
    expect(await admin.endOffsets(one)).toEqual([{ partition: 0, offset: '1' }]);
    expect(await admin.trueEndOffsets(one)).toEqual([{ partition: 0, offset: '3' }]);
    await open.commit();
    // Three messages and the marker of the transaction.
    await eventually(async () => expect(await admin.endOffsets(one)).toEqual([{ partition: 0, offset: '4' }]));
  });

  it('that are not there have no end', async () => {
    await expect(admin.endOffsets(`spec.${randomUUID()}.v1`)).rejects.toThrow();
    await expect(admin.trueEndOffsets(`spec.${randomUUID()}.v1`)).rejects.toThrow();
  });
});

/** With a connection of its own, as a connection stays who it was. */
async function topicNamesAs(username: string, password: string): Promise<void> {
  const theirs = rig.with({ username, password }).admin();
  await theirs.topicNames().finally(() => theirs.close());
}

describe('a principal', () => {
  it('may do what it was allowed, no longer after it was forbidden, and nothing else', async () => {
    const [own, other] = [await rig.newTopic(), await rig.newTopic()];
    const name = `p-${randomUUID()}`;
    const password = randomUUID();
    const rules = [
      { principal: `User:${name}`, resource: 'topic', name: own, operation: 'read' },
      { principal: `User:${name}`, resource: 'group', name: `${name}.`, pattern: 'prefixed', operation: 'read' },
    ] as const;
    await admin.putUser(name, password);
    await admin.allow(rules);
    await rig.send(message(own, 'k', '1'), message(other, 'k', 'secret'));
    const theirs = rig.with({ username: name, password });
    const read = async (topic: string, groupId = `${name}.spec`) => {
      const values: string[] = [];
      for await (const { value } of readAll(theirs, topic, { groupId })) values.push(String(value));
      return values;
    };
    await eventually(async () => expect(await read(own)).toEqual(['1']), { within: 10_000 });
    await expect(read(other)).rejects.toThrow();
    await admin.forbid(rules);
    await eventually(() => expect(read(own)).rejects.toThrow(), { within: 10_000 });
    await admin.deleteUser(name);
    await admin.deleteUser(name);
    // The broker hears from its controller that somebody is gone, a moment later.
    await eventually(() => expect(topicNamesAs(name, password)).rejects.toThrow(), { within: 10_000 });
  });

  it('has the password that it was given last', async () => {
    const name = `p-${randomUUID()}`;
    const [former, latter] = [randomUUID(), randomUUID()];
    await admin.putUser(name, former);
    await eventually(() => topicNamesAs(name, former));
    await admin.putUser(name, latter);
    await eventually(() => topicNamesAs(name, latter));
    await expect(topicNamesAs(name, former)).rejects.toThrow();
    await admin.deleteUser(name);
  });

  it('cannot be given a prefix that covers its neighbours', async () => {
    const rule = {
      principal: 'User:p1',
      resource: 'group',
      name: 'p1',
      pattern: 'prefixed',
      operation: 'read',
    } as const;
    await expect(admin.allow([rule])).rejects.toThrow(/prefix/);
  });
});
