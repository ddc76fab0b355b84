import type { Plant } from '../plants/plants.js';

/** Bugs that let a revocation be followed by what it revokes; the fence suite must find each. */
export const FENCE_PLANTS = {
  'check-before-lock': {
    what: 'a release looks at what is allowed before it takes the locks, and believes it afterwards',
    edits: [
      {
        file: 'apps/partner-sharing/release/release-batch',
        text: 'await lockEpochsShared(manager, {',
        instead: `const seen = await loadShares(manager, prepared.map(({ share }) => share.id));
          await manager.query('SELECT pg_sleep(0.02)');
          await lockEpochsShared(manager, {`,
      },
      {
        file: 'apps/partner-sharing/release/release-batch',
        text: 'const current = await loadShares(',
        instead: 'const current = seen ?? await loadShares(',
      },
    ],
  },
  'no-second-look': {
    what: 'a release believes what was decided when it was prepared',
    edits: [
      {
        file: 'apps/partner-sharing/release/release-batch',
        text: 'const allowedStill = stillAllowed(record.plan.attributes, allowed);',
        instead: 'const allowedStill = true;',
      },
      {
        file: 'apps/partner-sharing/release/release-batch',
        text: 'if (share !== undefined && allowedStill && unchanged(record.share, share)) kept.push(record);',
        instead: 'if (share !== undefined) kept.push(record);',
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
