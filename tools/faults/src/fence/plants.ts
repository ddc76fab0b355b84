import type { Plant } from '../plants/plants.js';

/** Bugs that let a revocation be followed by what it revokes; the fence suite must find each. */
export const FENCE_PLANTS = {
  'check-before-lock': {
    what: 'a release looks at what is allowed before it takes the locks, and believes it afterwards',
    edits: [
      {
        file: 'apps/partner-sharing/release/release-batch',
        text: 'await lockEpochsShared(manager, {',
        instead: `const seen = await secondLook(manager, prepared, new Date());
          await manager.query('SELECT pg_sleep(0.02)');
          await lockEpochsShared(manager, {`,
      },
      {
        file: 'apps/partner-sharing/release/release-batch',
        text: 'const { kept, withheld } = await secondLook(manager, prepared, now);',
        instead: 'const { kept, withheld } = seen;',
      },
    ],
  },
  'no-second-look': {
    what: 'a release believes what was decided when it was prepared',
    edits: [
      {
        file: 'apps/partner-sharing/release/release-batch',
        text: 'const changed = prepared.filter(({ share }) => !unchanged(share, standings.get(share.id)));',
        instead: 'const changed = standings.size < 0 ? prepared : [];',
      },
    ],
  },
  'no-epoch': {
    what: 'a lane that is opened anew does not raise the epoch of its producer',
    edits: [
      {
        file: 'libs/kafka/producer',
        // By itself the client asks for an id that nobody else knows.
        text: 'this.transactionalId === undefined ? producer.connect() : connectFenced(producer)',
        instead: 'producer.connect()',
      },
    ],
  },
} as const satisfies Readonly<Record<string, Pick<Plant, 'what' | 'edits'>>>;

export type FencePlantName = keyof typeof FENCE_PLANTS;
export const FENCE_PLANT_NAMES = Object.keys(FENCE_PLANTS) as FencePlantName[];
