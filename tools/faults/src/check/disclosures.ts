import { byKey } from './by-key.js';
import type { Aborted, FeedRecord, Observed } from './observed.js';

type Held = Readonly<Record<string, readonly string[]>>;

/** What becomes of what a recipient holds of a subject with one version; the records of the rig delete no key. */
export interface Disclosure {
  readonly subject: string;
  readonly version: number;
  readonly before: Held;
  readonly after: Held;
  /** Whether it stands on the feed. What was aborted is counted as held by whoever may have read it. */
  readonly isRead: boolean;
}

function united(one: Held, other: Held): Held {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries(
    [...names].map((name) => [name, [...new Set([...(one[name] ?? []), ...(other[name] ?? [])])]]),
  );
}

/** Of one feed, by subject and version. */
export function disclosuresOf(feed: readonly FeedRecord[], aborted: readonly Aborted[]): Map<string, Disclosure[]> {
  const all = [
    ...feed.flatMap(({ subject, version, purposes }) =>
      version === null ? [] : [{ subject, version, purposes, isRead: true }],
    ),
    ...aborted.map((record) => ({ ...record, isRead: false })),
  ];
  const bySubject = byKey(all, ({ subject }) => subject);
  return new Map(
    [...bySubject].map(([subject, records]) => {
      let held: Held = {};
      const disclosures = records
        .toSorted((a, b) => a.version - b.version)
        .map(({ version, purposes, isRead }): Disclosure => {
          const before = held;
          held = isRead ? purposes : united(held, purposes);
          return { subject, version, before, after: held, isRead };
        });
      return [subject, disclosures] as const;
    }),
  );
}

export interface Recipient {
  readonly slug: string;
  readonly feed: readonly FeedRecord[];
}

export const partnersOf = ({ partner, partnerFeed, leaving }: Observed): readonly Recipient[] => [
  { slug: partner, feed: partnerFeed },
  ...leaving,
];
