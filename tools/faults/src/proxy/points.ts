/**
 * Moments on an event's way, as they are seen from outside, in the bytes between a service and its database or broker.
 * Each is the last moment before or the first after something became so.
 */
const OUTBOX_POINTS = [
  /** A COMMIT is asked for of a transaction that wrote events, or records to send on feeds; the database does not know yet. */
  'before-commit',
  /** It is committed; the service does not know yet, and nobody was woken to send. */
  'after-commit',
  /** The relay has read the rows; the broker has not seen them. */
  'before-send',
  /** The broker has appended them; the relay does not know. */
  'before-acknowledgement',
  /** The relay knows; its cursor does not say so yet. */
  'before-mark',
] as const;

export const INBOX_POINTS = [
  /** The ids are remembered; neither effects nor commit followed. */
  'inside-inbox',
  /** The effects are committed; the group's offset is not. */
  'before-offset-commit',
] as const;

export const FEED_POINTS = [
  /** The lane's records are released in the database; the broker has not seen them. */
  'before-feed-send',
  /** The broker has appended them; the lane does not know. */
  'before-feed-acknowledgement',
  /** The lane knows; its database does not say so yet. */
  'before-feed-settle',
] as const;

export const POINTS = [...OUTBOX_POINTS, ...INBOX_POINTS, ...FEED_POINTS] as const;
export type Point = (typeof POINTS)[number];

/** What one connection says, read as it goes by. Each call sees one whole frame. */
export interface Inspector {
  readonly requestLength: (bytes: Buffer) => number | undefined;
  readonly answerLength: (bytes: Buffer) => number | undefined;
  request(frame: Buffer): Point | undefined;
  answer(frame: Buffer): Point | undefined;
}

/** What a replica's connections know of each other: whether its relay has something acknowledged that is not marked. */
export interface ReplicaMemory {
  acknowledged: boolean;
}
