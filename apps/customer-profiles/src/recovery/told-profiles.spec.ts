import { expect, it } from 'vitest';
import { encodeEvent, newEventId, profileChanged } from '@castiron/contracts';
import type { OwnRecord } from '@castiron/outbox';
import { toldProfiles } from './told-profiles.js';

const { customer } = profileChanged.example;

const told = (version: number, isKnown: boolean): OwnRecord => {
  const data = { ...profileChanged.example, version };
  const { topic, key, value, headers } = encodeEvent(profileChanged, data, { id: newEventId(), time: new Date() });
  const bytes = { key: Buffer.from(key), value: Buffer.from(value ?? ''), headers };
  return { topic, ...bytes, partition: 0, offset: '0', timestamp: new Date(), sequence: 1n, isKnown };
};

it('a profile that was told just before the backup was made is none that was given since', () => {
  const found = toldProfiles([told(1, true), told(2, false), told(2, true), told(3, true)]).get(customer);
  expect(found?.lost?.version).toBe(2);
  expect(found?.versions).toEqual([2, 2, 3]);
});

it('of what a lost life told, the last counts', () => {
  const found = toldProfiles([told(2, false), told(3, false)]).get(customer);
  expect(found?.lost?.version).toBe(3);
});
