import type { Anomaly } from '../check/observed.js';
import type { Fault } from '../plan/faults.js';

/** A piece of a compiled file, and what stands there instead. Spaces and line breaks do not count. */
export interface Edit {
  /** Below the repository, without `src` or `dist` and without its ending. */
  readonly file: string;
  readonly text: string;
  readonly instead: string;
}

/** A bug that is planted as the services load, to see that the checker finds it. */
export interface Plant {
  readonly what: string;
  readonly edits: readonly Edit[];
  /** What brings it to light. */
  readonly faults: readonly Fault[];
  /** What the checker has to say, one of these. */
  readonly finds: readonly Anomaly['kind'][];
}

const after = 300;
const atPoint = (
  point: (Fault & { kind: 'at-point' })['point'],
  action: (Fault & { kind: 'at-point' })['action'],
  service: (Fault & { kind: 'at-point' })['service'],
  ms = 0,
): Fault => ({ kind: 'at-point', point, action, service, letPass: 1, ms, afterwards: true, after });

const SENDS = 'await this.producer.send(batch.map(({ message }) => message));';

export const PLANTS = {
  'skip-late-commits': {
    what: 'the relay takes what committed late for sent',
    edits: [
      {
        file: 'libs/outbox/read-page',
        text: 'WHERE (xid >= $1::xid8 OR xid = ANY ($2::xid8[]))',
        instead: 'WHERE (xid >= $1::xid8 AND $2::xid8[] IS NOT NULL)',
      },
    ],
    faults: [
      atPoint('before-commit', 'delay', 'customer-profiles', 1_500),
      atPoint('before-commit', 'delay', 'partner-sharing', 1_500),
      atPoint('before-commit', 'delay', 'customer-profiles', 1_000),
      atPoint('before-commit', 'pause', 'partner-sharing', 2_000),
    ],
    finds: ['lost'],
  },
  'acknowledge-before-send': {
    what: 'the cursor moves before the broker has the events',
    edits: [
      {
        file: 'libs/outbox/lane',
        text: SENDS,
        instead: `this.cursor = batch.at(-1).after; this.isMoved = true; await this.events.isHeld(this); ${SENDS}`,
      },
    ],
    faults: [
      atPoint('before-send', 'kill', 'customer-profiles'),
      atPoint('before-send', 'cut', 'partner-sharing'),
      atPoint('before-send', 'kill', 'partner-sharing'),
    ],
    finds: ['lost'],
  },
  'no-de-duplication': {
    what: 'the inbox handles a message each time it comes',
    edits: [
      {
        file: 'libs/inbox/handling',
        text: 'if (!unseen.delete(content.event.meta.id)) continue;',
        instead: 'unseen.delete(content.event.meta.id);',
      },
    ],
    faults: [
      { kind: 'delivered-twice', copies: 400, after: 6_000 },
      atPoint('before-offset-commit', 'kill', 'notifications'),
      { kind: 'delivered-twice', copies: 400, after },
    ],
    finds: ['duplicated'],
  },
  // Where the member is no longer of its group the commit fails: that is to lose nothing, and to end nobody.
  'commit-offsets-first': {
    what: "the group's offset is committed before the transaction",
    edits: [
      {
        file: 'libs/kafka/consumer',
        text: 'await this.options.onBatch(',
        instead: `await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(BigInt(payload.batch.lastOffset()) + 1n) }] }] }).catch(() => undefined);
          await this.options.onBatch(`,
      },
    ],
    faults: [
      atPoint('inside-inbox', 'kill', 'partner-sharing'),
      atPoint('inside-inbox', 'kill', 'notifications'),
      atPoint('inside-inbox', 'kill', 'partner-sharing'),
      atPoint('inside-inbox', 'kill', 'notifications'),
    ],
    finds: ['lost'],
  },
  'handled-backwards': {
    what: 'a reader handles what came together the last first',
    edits: [
      {
        file: 'libs/inbox/handling',
        text: 'for (const item of items) {',
        instead: 'for (const item of [...items].reverse()) {',
      },
    ],
    // While nobody reads, notices of one customer pile up; most of them come at the beginning: a welcome, and what they permit.
    faults: [
      { kind: 'third-member', service: 'notifications', ms: 15_000, after },
      { kind: 'third-member', service: 'notifications', ms: 8_000, after: 4_000 },
      { kind: 'third-member', service: 'notifications', ms: 8_000, after: 4_000 },
    ],
    finds: ['reordered'],
  },
  'replay-out-of-order': {
    what: 'what piled up while sends failed is sent the last first',
    edits: [
      {
        file: 'libs/outbox/lane',
        text: SENDS,
        instead: `if (batch.length > 1 && (this.planted = (this.planted ?? 0) - 1) > 0) {
            await this.producer.send(batch.map(({ message }) => message).reverse());
          } else ${SENDS}`,
      },
      {
        file: 'libs/outbox/lane',
        text: 'this.failures += 1;',
        instead: 'this.failures += 1; this.planted = 40;',
      },
    ],
    faults: [
      { kind: 'broker-away', ms: 3_000, after: 4_000 },
      { kind: 'broker-away', ms: 3_000, after: 4_000 },
    ],
    finds: ['reordered'],
  },
  'lost-wake-up': {
    what: 'what wakes the relay between its last look and its sleep is forgotten, and nothing looks later',
    edits: [
      {
        // Wider than it would be, so that it is met: the relay has seen nothing, and is not asleep yet.
        file: 'libs/outbox/relay',
        text: 'if (pause > 0) await this.signal.within(pause);',
        instead: `if (pause > 0) {
            await setTimeout(200);
            for (const lane of this.lanes) this.reading.seen.set(lane, this.reading.wakes);
            this.signal.given = false;
            await this.signal.within(pause);
          }`,
      },
      {
        // With the net under it nobody would suffer: what was forgotten would come a second later.
        file: 'libs/outbox/reading',
        text: '(hasNews ? gatherMs(this.lookMs) : pollMs)',
        instead: '(hasNews ? gatherMs(this.lookMs) : Infinity)',
      },
    ],
    // The quiet afterwards brings it to light: whatever comes next would bring along what was forgotten.
    faults: [{ kind: 'backends-terminated', after }],
    finds: ['stuck'],
  },
} as const satisfies Readonly<Record<string, Plant>>;

export type PlantName = keyof typeof PLANTS;
export const PLANT_NAMES = Object.keys(PLANTS) as PlantName[];

/** Where a file of a package is. */
export const placeOf = (file: string, folder: 'src' | 'dist'): string =>
  file.replace(/^([^/]+\/[^/]+)\//, `$1/${folder}/`);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** @throws where the text is not there exactly once: the bug would not be planted, and a test of the checker would say nothing */
export function edited(source: string, { file, text, instead }: Edit): string {
  const pattern = new RegExp(text.split(/\s+/).map(escaped).join('\\s*'), 'g');
  const found = source.match(pattern)?.length ?? 0;
  if (found !== 1) throw new Error(`"${text}" stands ${found} times in ${file}, not once: plant the bug elsewhere`);
  return source.replace(pattern, () => instead);
}

/** What a replica says once a file of it was edited. */
export const plantedIn = (file: string): string => `planted a bug in ${file}`;

/** V8's words about code that cannot do what it is to do. */
const THROWS = /^.*(?:is not (?:a function|a constructor|defined|iterable)|Cannot (?:read|set) properties of).*$/m;

/** @returns the first line of a replica's log that says so: the edit names what is called otherwise by now */
export const thrownIn = (log: string): string | undefined => THROWS.exec(log)?.[0];
