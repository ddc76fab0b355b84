import { hashBits, outboxKey } from '@castiron/transactions';

/**
 * Lanes of an outbox: a key must stay in its lane, so that another number needs a migration that moves what waits. One that
 * is held up holds up its part of the keys. Each sends by itself: with requests of its own, which at a steady rate are most
 * of what an event costs.
 */
export const LANES = 2;

/** The lane of a key: all events of a key of a topic go one after the other. */
export function laneOf(topic: string, key: string): number {
  return Number(hashBits(outboxKey(topic, key), 32)) % LANES;
}
