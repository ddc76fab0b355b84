import type { IncomingMessage } from '@castiron/kafka';
import type { DataSource, EntityManager } from 'typeorm';
import { openIncidents } from '../incidents/incident.table.js';
import { makePending } from '../shares/make-shares.js';
import { digestOf } from './digest-of.js';
import {
  keepLast,
  keepNotes,
  lastRecordsOf,
  lockPosition,
  moveOn,
  namedEntries,
  notesOf,
  type Passed,
} from './feed-notes.table.js';
import { claimOf, groundProblem, type RecordClaim } from './ground-of-record.decision.js';
import { lockNotes } from './notes-lock.js';
import { causeAt, type FeedPartition, type Place } from './place.js';
import { weighRecords, type GroundedRecord } from './weigh-records.decision.js';

/** `again`: nothing was noted, and the partition is to be read from `next`. */
export type Noting = { readonly again: true; readonly next: bigint } | ({ readonly again: false } & Passed);

interface Problem {
  readonly at: Place;
  readonly problem: string;
}

/**
 * Notes what stands on a feed, from its position on, and moves the position, in one transaction: what is noted twice or
 * not at all is neither after a crash. Every message is a tick, a noted record, a duplicate, or an incident.
 * @param messages in order
 * @param readOn the offset from which the reader read on by itself: what is missing from there on is not there any more
 * @throws what the database throws, and Retryable
 */
export function noteRecords(
  dataSource: DataSource,
  at: FeedPartition,
  messages: readonly IncomingMessage[],
  readOn: bigint | undefined,
): Promise<Noting> {
  return dataSource.transaction('READ COMMITTED', async (manager) => {
    await lockNotes(manager, 'shared');
    const next = await lockPosition(manager, at);
    const fresh = messages.filter(({ offset }) => BigInt(offset) >= next);
    const [first, last] = [fresh[0], fresh.at(-1)];
    if (first === undefined || last === undefined) return { ...NOTHING, next };
    // The group's place is not ours: what comes before may be there.
    if (BigInt(first.offset) > next && readOn !== next) return { again: true, next };
    const after = BigInt(last.offset) + 1n;
    const passed = { next: after, unobserved: after - next - BigInt(fresh.length) };
    const found = await note(manager, at, fresh);
    await moveOn(manager, at, { ...found, ...passed });
    return { again: false, ...found, ...passed };
  });
}

const NOTHING = { again: false, records: 0, duplicates: 0, groundless: 0, fallen: 0, unobserved: 0n } as const;

async function note(
  manager: EntityManager,
  at: FeedPartition,
  messages: readonly IncomingMessage[],
): Promise<Omit<Passed, 'next' | 'unobserved'>> {
  const problems: Problem[] = [];
  const grounded = await withGround(manager, at, messages, problems);
  const { first, copies, altered, fallen, last } = weighRecords(
    grounded,
    await notesOf(
      manager,
      grounded.map(({ entry }) => entry),
    ),
    await lastRecordsOf(manager, [...new Set(grounded.map(({ share }) => share))]),
  );
  for (const one of altered) problems.push({ at: one, problem: 'another record was seen under its entry' });
  await keepNotes(manager, first);
  await keepLast(manager, last);
  await openIncidents(manager, [
    ...problems.map(({ at: place, problem }) => ({
      kind: 'disclosure-without-a-ground' as const,
      cause: causeAt(place, problem),
    })),
    ...fallen.map((one) => ({
      kind: 'version-fell' as const,
      cause: causeAt(one, `version ${one.version} stands behind a newer one of its subject`),
    })),
  ]);
  // Compaction keeps what stands last, and would take the newer one away.
  if (fallen.length > 0) await makePending(manager, [...new Set(fallen.map(({ share }) => share))], 'resync-requested');
  return {
    records: first.length,
    duplicates: copies.length,
    groundless: problems.length,
    fallen: fallen.length,
  };
}

/** The records that an entry stands behind, in order; what is wrong with the others goes to `problems`. */
async function withGround(
  manager: EntityManager,
  at: FeedPartition,
  messages: readonly IncomingMessage[],
  problems: Problem[],
): Promise<readonly GroundedRecord[]> {
  const claims: { readonly claim: RecordClaim; readonly place: Place; readonly message: IncomingMessage }[] = [];
  for (const message of messages) {
    const place = { ...at, offset: BigInt(message.offset) };
    const claim = claimOf({ ...message, topic: at.topic }, at.partition);
    if (claim.kind === 'no-record') problems.push({ at: place, problem: claim.problem });
    else if (claim.kind === 'record') claims.push({ claim, place, message });
  }
  const named = await namedEntries(manager, [...new Set(claims.map(({ claim }) => claim.entry))]);
  return claims.flatMap(({ claim, place, message }) => {
    const entry = named.get(claim.entry);
    const problem = groundProblem(claim, entry);
    if (problem !== undefined) problems.push({ at: place, problem });
    if (problem !== undefined || entry === undefined) return [];
    const { index, leaf, share } = entry;
    const version = BigInt(leaf.version ?? 0);
    return [{ ...place, entry: claim.entry, index, share: share ?? '', version, digest: digestOf(message) }];
  });
}
