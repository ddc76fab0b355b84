import { TOPICS, topicsOfRecipient } from '@castiron/contracts';
import type { AclOperation, AclResource, AclRule } from '@castiron/kafka';

/** What a principal may do; whatever is not listed is denied. */
interface Rights {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  /** Topics of recipients, `<prefix>.<slug>.v1`, that come and go: the prefix ends in a dot. */
  readonly readBelow?: readonly string[];
  readonly writeBelow?: readonly string[];
  /** Consumer groups: this name, and names that start with it and a dot. */
  readonly group?: string;
  readonly transactionalIds?: readonly string[];
  /** Runs the relay of an outbox, whose producers are named `<principal>.outbox.<lane>`. */
  readonly outbox?: boolean;
  readonly cluster?: readonly AclOperation[];
  /** May create and configure the topics below these prefixes. */
  readonly provisions?: readonly string[];
}

const ofInternalRecipient = (slug: string): Required<Pick<Rights, 'read' | 'write' | 'group'>> => {
  const { feed, duties, replies } = topicsOfRecipient(slug);
  return { read: [feed.name, duties.name], write: [replies.name], group: slug };
};

/** How many lanes feeds have; each has a producer of its own name. */
const LANES = 16;

const sharing = TOPICS.map(({ name }) => name).filter((name) => name.startsWith('sharing.'));
const customers = TOPICS.map(({ name }) => name).filter((name) => name.startsWith('customers.'));

/** The recipients inside the house. Their topics exist from the start, since they read them from the start. */
export const INTERNAL_RECIPIENTS = ['notifications', 'recommendations'] as const;

/**
 * Who may do what on the broker: one principal per service with the least rights (G7). A partner's principal is
 * made by `partner-sharing`, through `provisioner`, when the partner is given credentials.
 */
const PRINCIPALS = {
  /** Super user, for people at this machine. */
  admin: {},
  /** Makes the topics, users and rules of new recipients, and reads or writes nothing. */
  provisioner: { cluster: ['alter', 'describe'], provisions: ['feeds.', 'duties.', 'replies.'] },
  'customer-profiles': {
    write: customers,
    read: [...customers, 'sharing.permissions.v1'],
    group: 'customer-profiles',
    outbox: true,
  },
  'partner-sharing': {
    read: [
      'customers.profiles.v1',
      'customers.erasures.v1',
      'customers.statements.v1',
      'notifications.mailings.v1',
      ...sharing,
    ],
    write: sharing,
    // Its own feeds too: to compare them with the ledger, to find out what became of a send without an answer, and to recover.
    readBelow: ['replies.', 'feeds.'],
    writeBelow: ['feeds.', 'duties.'],
    group: 'partner-sharing',
    outbox: true,
    transactionalIds: Array.from({ length: LANES }, (_, lane) => `feed-lane-${lane}`),
  },
  notifications: {
    ...ofInternalRecipient('notifications'),
    outbox: true,
    write: [...ofInternalRecipient('notifications').write, 'notifications.mailings.v1'],
  },
  recommendations: ofInternalRecipient('recommendations'),
} as const satisfies Record<string, Rights>;

export type PrincipalName = keyof typeof PRINCIPALS;
export const PRINCIPAL_NAMES = Object.keys(PRINCIPALS) as PrincipalName[];

function rulesOf(principal: string, rights: Rights): AclRule[] {
  const rules = (
    resource: AclResource,
    names: readonly string[],
    operations: readonly AclOperation[],
    pattern: 'literal' | 'prefixed' = 'literal',
  ): AclRule[] =>
    names.flatMap((name) =>
      operations.map((operation) => ({ principal: `User:${principal}`, resource, name, pattern, operation })),
    );
  const group = rights.group === undefined ? [] : [rights.group];
  return [
    ...rules('topic', rights.read ?? [], ['read', 'describe']),
    ...rules('topic', rights.write ?? [], ['write', 'describe']),
    ...rules('topic', rights.readBelow ?? [], ['read', 'describe'], 'prefixed'),
    ...rules('topic', rights.writeBelow ?? [], ['write', 'describe'], 'prefixed'),
    ...rules('group', group, ['read', 'describe']),
    ...rules(
      'group',
      group.map((name) => `${name}.`),
      ['read', 'describe'],
      'prefixed',
    ),
    ...rules('transactional-id', rights.transactionalIds ?? [], ['write', 'describe']),
    ...rules('transactional-id', rights.outbox ? [`${principal}.outbox.`] : [], ['write', 'describe'], 'prefixed'),
    ...rules('cluster', ['kafka-cluster'], rights.cluster ?? []),
    ...rules('topic', rights.provisions ?? [], ['create', 'describe', 'describe-configs', 'alter-configs'], 'prefixed'),
  ];
}

/** The table above as rules for the broker. */
export const ACL_RULES: readonly AclRule[] = PRINCIPAL_NAMES.flatMap((name) => rulesOf(name, PRINCIPALS[name]));
