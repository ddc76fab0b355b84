import { TOPICS, topicsOfRecipient } from '@castiron/contracts';
import { connect, type Admin } from '@castiron/kafka';
import { ACL_RULES, INTERNAL_RECIPIENTS } from './principals.js';

const LED_WITHIN_MS = 15_000;
const PAUSE_MS = 50;

/** A broker that has just started, or a topic that has just been made, answers before it leads its partitions. */
async function led(admin: Admin, topic: string): Promise<void> {
  const deadline = Date.now() + LED_WITHIN_MS;
  for (;;) {
    try {
      await admin.endOffsets(topic);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** Makes topics and rules where they are missing; run at each start, so that a change reaches a kept data folder. */
export async function provisionKafka(bootstrap: string, password: string): Promise<void> {
  const admin = connect({ brokers: [bootstrap], clientId: 'local-stack', username: 'admin', password }).admin();
  try {
    const topics = [...TOPICS, ...INTERNAL_RECIPIENTS.flatMap((slug) => Object.values(topicsOfRecipient(slug)))];
    await admin.createTopics(topics);
    await admin.allow(ACL_RULES);
    await Promise.all(topics.map(({ name }) => led(admin, name)));
  } finally {
    await admin.close();
  }
}
