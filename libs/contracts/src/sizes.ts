/**
 * How large things may be on their way from a request to its effect, in bytes: body < event < message < fetch. One setting;
 * the others follow from it.
 */

/** The setting: the largest message that a topic of ours takes (`max.message.bytes`), and the most that one send holds. */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** Key, value and headers of an event, with the framing of each. What is left of a message is the framing of its batch. */
export const MAX_EVENT_BYTES = MAX_MESSAGE_BYTES - 16_384;

/** Headers that a message may have, far above those of ours: each takes more to keep than it took to send. */
export const MOST_HEADERS = 1_000;

/**
 * How much larger than in its request something may be in its event, at most. JSON is written no longer than it was read,
 * numbers aside; sealing makes it 4/3, sealing that once more (in a JWE) 16/9; what we add ourselves has the rest.
 */
const GROWTH = 4;

/** The largest body that a service reads: what comes in may go out as one event. */
export const MAX_BODY_BYTES = Math.floor(MAX_EVENT_BYTES / GROWTH);

/** What a reader takes of a partition at once: it must hold the largest message, or that one stalls its partition. */
export const PARTITION_FETCH_BYTES = 1.25 * MAX_MESSAGE_BYTES;

/** What is taken at once of all partitions, out of an outbox, or into one transaction of an inbox. */
export const FETCH_BYTES = 2 * PARTITION_FETCH_BYTES;
