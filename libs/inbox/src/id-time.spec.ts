import { randomUUID } from 'node:crypto';
import { newEventId } from '@castiron/contracts';
import { expect, it } from 'vitest';
import { isTimely } from './id-time.js';

const DAY_MS = 86_400_000;
const madeAt = Date.UTC(2026, 10, 24, 9);
// That instant in hexadecimal, then the version.
const id = '01a20cc8-8e80-7000-8000-000000000001';

it('an id is timely that was made within what a topic keeps, or a day ahead', () => {
  expect(isTimely(newEventId(), Date.now())).toBe(true);
  for (const now of [madeAt, madeAt + 30 * DAY_MS, madeAt - DAY_MS + 1]) expect(isTimely(id, now)).toBe(true);
  for (const now of [madeAt + 37 * DAY_MS, madeAt - DAY_MS]) expect(isTimely(id, now)).toBe(false);
});

it.each([
  ['of another version', id.replace('-7000-', '-4000-')],
  ['of another variant', id.replace('-8000-', '-0000-')],
  ['at random', randomUUID()],
])('an id %s is of no time', (_, other) => {
  expect(isTimely(other, madeAt)).toBe(false);
});
