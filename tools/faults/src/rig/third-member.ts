import { connect } from '@castiron/kafka';
import { topicsOfRecipient } from '@castiron/contracts';
import { pause } from '../pause.js';
import type { Fault } from '../plan/faults.js';
import type { Cluster } from './cluster.js';

/** A group gives a member its part within some leases, and messages come all the time. */
const GIVEN_WITHIN_MS = 10_000;

/**
 * Takes part of the partitions away from a service for a while, and gives them back without having done anything.
 * @returns whether it was given any: it has seen a message of one
 */
export async function joinThird(
  cluster: Cluster,
  { service, ms }: Fault & { kind: 'third-member' },
  leaseMs: number,
): Promise<boolean> {
  const { username = '', password = '' } = cluster.stack.kafka.principals[service] ?? {};
  const brokers = [cluster.stack.kafka.bootstrap];
  const kafka = connect({ brokers, clientId: 'third', username, password, leaseMs });
  const { feed, duties } = topicsOfRecipient('notifications');
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => (leave = resolve));
  let isGiven: () => void = () => undefined;
  const given = new Promise<true>((resolve) => (isGiven = () => resolve(true)));
  const third = kafka.consumer({
    groupId: service === 'notifications' ? 'notifications.inbox' : service,
    topics:
      service === 'notifications' ? [feed.name, duties.name] : ['customers.profiles.v1', 'notifications.mailings.v1'],
    // What it gets it leaves as it is: stopped before this ends, it commits nothing.
    onBatch: () => {
      isGiven();
      return left;
    },
    onCrash: () => undefined,
  });
  await third.start();
  const was = await Promise.race([given, pause(GIVEN_WITHIN_MS).then(() => false)]);
  await pause(ms);
  const stopped = third.stop();
  leave();
  await stopped;
  return was;
}
