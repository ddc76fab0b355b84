import type { Inspector, Point, ReplicaMemory } from './points.js';

const QUERY = 'Q'.charCodeAt(0);
const PARSE = 'P'.charCodeAt(0);
const BIND = 'B'.charCodeAt(0);
const COMMAND_COMPLETE = 'C'.charCodeAt(0);
const LENGTH_BYTES = 4;

/** Longest part of a statement that is looked at. */
const TEXT = 400;

const BEGINS = /^\s*(BEGIN|START TRANSACTION)\b/i;
const COMMITS = /^\s*COMMIT\b/i;
/** An outbox, or what partner-sharing is about to send on feeds. */
const LEADS_TO_MESSAGES = /INSERT INTO (?:outbox|sending_records)\b(?!_)/;
/** What a lane sent, or found to be sent or not. */
const SETTLES = /DELETE FROM sending_records\b/;
const REMEMBERS_IDS = /INSERT INTO inbox\b(?!_)/;
const MOVES_CURSOR = /UPDATE outbox_lanes\b[^]*\bsettled = c\.settled/;

const framed = (bytes: Buffer): number | undefined =>
  bytes.length < 1 + LENGTH_BYTES ? undefined : 1 + bytes.readUInt32BE(1);

const NAMES_AT = 5;

const textFrom = (frame: Buffer, start: number): string =>
  frame.toString('latin1', start, Math.min(frame.length, start + TEXT));

/** Finds the text of a Query, of a Parse, or of a Bind whose statement was parsed before under a name. */
function statements(): (frame: Buffer) => string | undefined {
  const named = new Map<string, string>();
  return (frame) => {
    const [type] = frame;
    if (type === QUERY) return textFrom(frame, NAMES_AT);
    const end = frame.indexOf(0, NAMES_AT);
    if (type === PARSE) {
      const [name, text] = [frame.toString('latin1', NAMES_AT, end), textFrom(frame, end + 1)];
      if (name === '') return text;
      // It is not run by this alone: the Bind that follows does that, now and each time after.
      named.set(name, text);
    }
    // After the name of its portal.
    if (type === BIND) return named.get(frame.toString('latin1', end + 1, frame.indexOf(0, end + 1)));
    return undefined;
  };
}

/** Reads PostgreSQL's frontend/backend protocol 3.0 (PostgreSQL manual, "Message Formats"). */
export function postgresInspector(memory: ReplicaMemory): Inspector {
  const statementOf = statements();
  let started = false;
  let leadsToMessages = false;
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
      if (BEGINS.test(text)) leadsToMessages = false;
      if (LEADS_TO_MESSAGES.test(text)) leadsToMessages = true;
      if (COMMITS.test(text)) {
        committing = leadsToMessages;
        return leadsToMessages ? 'before-commit' : undefined;
      }
      if (SETTLES.test(text)) return 'before-feed-settle';
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
