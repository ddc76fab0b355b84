import { topicsOfRecipient } from '@castiron/contracts';
import { Refused } from '@castiron/failures';
import type { AclRule, Kafka } from '@castiron/kafka';

/** Makes a recipient's place on the broker: the one port to swap where an operator (Strimzi) does it instead. */
export interface Provisioning {
  /** The recipient's three topics and the rights of its principal; again and again with the same result. */
  prepare(slug: string): Promise<void>;
  /** Lets the recipient's principal in with this password. */
  admit(slug: string, password: string): Promise<void>;
}

/** Something at the broker failed: every step may be repeated, so whoever asked is told to. */
export function brokerUnavailable(detail: string, cause: unknown): Refused {
  return Object.assign(new Refused({ kind: 'unavailable', code: 'broker-unavailable', detail }), { cause });
}

/** Exactly this: its own feed and duties to read, its own replies to write, its own consumer groups (G7). */
export function rulesOf(slug: string): AclRule[] {
  const principal = `User:${slug}`;
  const { feed, duties, replies } = topicsOfRecipient(slug);
  const topic = (name: string, operations: readonly ('read' | 'write' | 'describe')[]): AclRule[] =>
    operations.map((operation) => ({ principal, resource: 'topic', name, pattern: 'literal', operation }));
  return [
    ...topic(feed.name, ['read', 'describe']),
    ...topic(duties.name, ['read', 'describe']),
    ...topic(replies.name, ['write', 'describe']),
    // The dot ends the prefix: `p1.` does not cover `p10`.
    { principal, resource: 'group', name: `${slug}.`, pattern: 'prefixed', operation: 'read' },
    { principal, resource: 'group', name: `${slug}.`, pattern: 'prefixed', operation: 'describe' },
  ];
}

/** Through Kafka's own admin protocol, as the provisioner's principal. */
export class KafkaProvisioning implements Provisioning {
  constructor(private readonly kafka: Kafka) {}

  async prepare(slug: string): Promise<void> {
    const admin = this.kafka.admin();
    try {
      await admin.createTopics(Object.values(topicsOfRecipient(slug)));
      await admin.allow(rulesOf(slug));
    } finally {
      await admin.close();
    }
  }

  async admit(slug: string, password: string): Promise<void> {
    const admin = this.kafka.admin();
    try {
      await admin.putUser(slug, password);
    } finally {
      await admin.close();
    }
  }
}
