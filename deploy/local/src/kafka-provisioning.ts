import { TOPICS, topicsOfRecipient } from '@castiron/contracts';
import { connect } from '@castiron/kafka';
import { ACL_RULES, INTERNAL_RECIPIENTS } from './principals.js';

/** Makes topics and rules where they are missing; run at each start, so that a change reaches a kept data folder. */
export async function provisionKafka(bootstrap: string, password: string): Promise<void> {
  const admin = connect({ brokers: [bootstrap], clientId: 'local-stack', username: 'admin', password }).admin();
  try {
    const ofRecipients = INTERNAL_RECIPIENTS.flatMap((slug) => Object.values(topicsOfRecipient(slug)));
    await admin.createTopics([...TOPICS, ...ofRecipients]);
    await admin.allow(ACL_RULES);
  } finally {
    await admin.close();
  }
}
