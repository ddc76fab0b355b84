import type { Inspector, Point, ReplicaMemory } from './points.js';

const QUERY = 'Q'.charCodeAt(0);
const PARSE = 'P'.charCodeAt(0);
const COMMAND_COMPLETE = 'C'.charCodeAt(0);
const LENGTH_BYTES = 4;

/** Longest part of a statement that is looked at. */
const TEXT = 400;

const BEGINS = /^\s*(BEGIN|START TRANSACTION)\b/i;
const COMMITS = /^\s*COMMIT\b/i;
const WRITES_EVENTS = /INSERT INTO outbox\b(?!_)/;
const REMEMBERS_IDS = /INSERT INTO inbox\b(?!_)/;
const MOVES_CURSOR = /UPDATE outbox_lanes\b[^]*\bsettled = c\.settled/;

const framed = (bytes: Buffer): number | undefined =>
  bytes.length < 1 + LENGTH_BYTES ? undefined : 1 + bytes.readUInt32BE(1);

/** The text of a Query, or of a Parse, which a statement's name precedes. */
function statementOf(frame: Buffer): string | undefined {
  const [type] = frame;
  if (type === QUERY) return frame.toString('latin1', 5, Math.min(frame.length, 5 + TEXT));
  if (type !== PARSE) return undefined;
  const start = frame.indexOf(0, 5) + 1;
  return frame.toString('latin1', start, Math.min(frame.length, start + TEXT));
}

/** Reads PostgreSQL's frontend/backend protocol 3.0 (PostgreSQL manual, "Message Formats"). */
export function postgresInspector(memory: ReplicaMemory): Inspector {
  let started = false;
  let wroteEvents = false;
  let committing = false;
  let remembering = false;
  return {
    // The first message has no type.
    requestLength: (bytes) =>
      started ? framed(bytes) : bytes.length < LENGTH_BYTES ? undefined : bytes.readUInt32BE(0),
    answerLength: framed,
    request(frame): Point | undefined {
      if (!started) {
        started = true;
        return undefined;
      }
      const text = statementOf(frame);
      if (text === undefined) return undefined;
      remembering = REMEMBERS_IDS.test(text);
      if (BEGINS.test(text)) wroteEvents = false;
      if (WRITES_EVENTS.test(text)) wroteEvents = true;
      if (COMMITS.test(text)) {
        committing = wroteEvents;
        return wroteEvents ? 'before-commit' : undefined;
      }
      if (!memory.acknowledged || !MOVES_CURSOR.test(text)) return undefined;
      memory.acknowledged = false;
      return 'before-mark';
    },
    answer(frame): Point | undefined {
      if (frame[0] !== COMMAND_COMPLETE) return undefined;
      const tag = frame.toString('latin1', 5, Math.min(frame.length, 12));
      if (remembering && tag.startsWith('INSERT')) {
        remembering = false;
        return 'inside-inbox';
      }
      if (committing && tag.startsWith('COMMIT')) {
        committing = false;
        return 'after-commit';
      }
      return undefined;
    },
  };
}
