import { topicsOfRecipient, type Topic, type WireMessage } from '@castiron/contracts';
import { connect, readAll, type Kafka } from '@castiron/kafka';
import { sendCompressed } from '@castiron/kafka/testing';
import { eventually, uniqueSlug } from '@castiron/testing';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { KafkaProvisioning } from './provisioning.js';

interface Partner {
  readonly slug: string;
  readonly kafka: Kafka;
  readonly topics: ReturnType<typeof topicsOfRecipient>;
}

const kafkaOf = (principal: { username: string; password: string }): Kafka =>
  connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });

function principal(name: string): Kafka {
  const known = inject('stack').kafka.principals[name];
  if (known === undefined) throw new Error(`the stack has no principal ${name}`);
  return kafkaOf(known);
}

const provisioning = (): KafkaProvisioning => new KafkaProvisioning(principal('provisioner'));

async function newPartner(slug = uniqueSlug()): Promise<Partner> {
  await provisioning().prepare(slug);
  await provisioning().admit(slug, `secret of ${slug}`);
  return { slug, kafka: kafkaOf({ username: slug, password: `secret of ${slug}` }), topics: topicsOfRecipient(slug) };
}

const message = (topic: Topic): WireMessage => ({ topic: topic.name, key: 'k', value: '{}', headers: {} });

async function write(kafka: Kafka, topic: Topic): Promise<void> {
  const producer = kafka.producer();
  try {
    await producer.send([message(topic)]);
  } finally {
    await producer.close();
  }
}

async function read({ kafka, slug }: Partner, topic: Topic, groupId = `${slug}.reader`): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of readAll(kafka, topic.name, { groupId })) keys.push(String(key));
  return keys;
}

describe('the place of a recipient on the broker', () => {
  let own: Partner;
  let other: Partner;
  beforeAll(async () => {
    own = await newPartner();
    // The same name and more: no prefix of one recipient may cover another.
    other = await newPartner(`${own.slug}x`);
    const service = principal('partner-sharing');
    for (const topic of [own.topics.feed, own.topics.duties, other.topics.feed]) await write(service, topic);
  });

  it('lets it read its own feed and duties and write its own replies', async () => {
    await eventually(async () => expect(await read(own, own.topics.feed)).toEqual(['k']));
    expect(await read(own, own.topics.duties, `${own.slug}.duties`)).toEqual(['k']);
    await write(own.kafka, own.topics.replies);
  });

  it('refuses what it packs small and what unpacks to more than a message may be', async () => {
    const settings = { brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', username: own.slug };
    const bomb = { ...message(own.topics.replies), value: Buffer.alloc(60_000_000, 0x20) };
    const sent = sendCompressed({ ...settings, password: `secret of ${own.slug}` }, 'gzip', [bomb]);
    await expect(sent).rejects.toThrow(/larger than the max|too large/i);
  });

  it('lets it read nothing else', async () => {
    const topics = [other.topics.feed, other.topics.duties, other.topics.replies, own.topics.replies];
    for (const topic of topics) await expect(read(own, topic), topic.name).rejects.toThrow(/authoriz/i);
  });

  it('lets it write nothing else', async () => {
    const topics = [own.topics.feed, own.topics.duties, other.topics.replies];
    for (const topic of topics) await expect(write(own.kafka, topic), topic.name).rejects.toThrow(/authoriz/i);
  });

  it('keeps it out of the groups of others', async () => {
    for (const group of [`${other.slug}.reader`, own.slug, 'partner-sharing']) {
      // A coordinator is not even named to those who may not use the group.
      await expect(read(own, own.topics.feed, group), group).rejects.toThrow(/authoriz|group coordinator/i);
    }
  });

  it('is made again without complaint, and a new password ends the former one', async () => {
    await provisioning().prepare(own.slug);
    await provisioning().admit(own.slug, 'another secret');
    await eventually(async () => {
      const admin = kafkaOf({ username: own.slug, password: `secret of ${own.slug}` }).admin();
      await expect(admin.topicNames().finally(() => admin.close())).rejects.toThrow();
    });
    const renewed = { ...own, kafka: kafkaOf({ username: own.slug, password: 'another secret' }) };
    expect(await read(renewed, own.topics.feed, `${own.slug}.again`)).toEqual(['k']);
  });
});
