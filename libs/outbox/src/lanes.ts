import { createHash } from 'node:crypto';

/** Lanes of an outbox: fixed when the database is made, for a key must stay in its lane. */
export const LANES = 8;

/** The lane of a key: all events of a key of a topic go one after the other. */
export function laneOf(topic: string, key: string): number {
  return createHash('sha256').update(`${topic}/${key}`).digest().readUInt32BE(0) % LANES;
}
