import { topicsOfRecipient, TOPICS } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { Castiron } from '../support/castiron.js';

const castiron = new Castiron();

describe('G7: recipients are walled off', () => {
  it('lets a partner read its own feed and no other topic', async () => {
    const [own, other] = [await castiron.registerPartner(), await castiron.registerPartner()];
    expect(await own.read()).toEqual([]);
    const foreign = topicsOfRecipient(other.slug);
    // What is empty is read without being asked for.
    const { replies } = topicsOfRecipient(own.slug);
    const producer = castiron.kafka(own).producer();
    await producer.send([{ topic: replies.name, key: 'k', value: '{}', headers: {} }]);
    await producer.close();
    for (const topic of [replies, foreign.feed, foreign.duties, foreign.replies, ...TOPICS]) {
      await expect(own.read(topic.name), topic.name).rejects.toThrow(/authoriz/i);
    }
  });

  it('lets a partner be in its own consumer groups and in no other', async () => {
    const [own, other] = [await castiron.registerPartner(), await castiron.registerPartner()];
    // What is empty is read without joining a group.
    await castiron.agree(own, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
    await castiron.permit(await castiron.registerCompany(), own.slug, 'recommendation');
    await own.readUntil((messages) => expect(messages).toHaveLength(1));
    for (const group of [
      `${other.slug}.app`,
      other.slug,
      own.slug,
      `${own.slug}x`,
      'partner-sharing',
      'notifications',
    ]) {
      // The client's words for a coordinator that tells it nothing.
      await expect(own.read(undefined, group), group).rejects.toThrow(/authoriz|find group coordinator/i);
    }
  });

  it('lets a partner write its own replies and nothing else', async () => {
    const [own, other] = [await castiron.registerPartner(), await castiron.registerPartner()];
    const topics = topicsOfRecipient(own.slug);
    const forbidden = [topics.feed, topics.duties, topicsOfRecipient(other.slug).replies, ...TOPICS];
    for (const topic of forbidden) {
      const producer = castiron.kafka(own).producer();
      const message = { topic: topic.name, key: 'k', value: '{}', headers: {} };
      await expect(producer.send([message]), topic.name).rejects.toThrow(/authoriz/i);
      await producer.close();
    }
  });

  it('gives one customer unlike subject ids at two partners', async () => {
    const partners = [await castiron.registerPartner(), await castiron.registerPartner()];
    const customer = await castiron.registerCompany();
    const subjects = [];
    for (const partner of partners) {
      await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
      await castiron.permit(customer, partner.slug, 'recommendation');
      const feed = await partner.readUntil((messages) => expect(messages).toHaveLength(1));
      subjects.push(feed[0]?.subject);
    }
    expect(new Set([...subjects, customer]).size).toBe(3);
  });
});
