import { RETENTION_DAYS } from '@castiron/contracts';

const DAY_MS = 86_400_000;
/** A topic keeps what it holds until its segment ends, some days more. */
export const ID_DAYS = RETENTION_DAYS + 7;
const DAYS_AHEAD = 1;
const TIME_OF_UUIDV7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab]/;

/** Whether an id is of the time in which its message can be on a topic, give or take a clock that is ahead by a day. */
export function isTimely(id: string, now: number): boolean {
  const [, high, low] = TIME_OF_UUIDV7.exec(id) ?? [];
  if (high === undefined || low === undefined) return false;
  const madeAt = Number.parseInt(high + low, 16);
  return madeAt > now - ID_DAYS * DAY_MS && madeAt < now + DAYS_AHEAD * DAY_MS;
}
