import { describe, expect, it } from 'vitest';
import * as contracts from './index.js';
import { decodeMessage, encodeEvent, encodeTombstone, isFamily, newEventId, type EventContract } from './index.js';

const events = (Object.values(contracts) as unknown[]).filter(
  (value): value is EventContract =>
    typeof value === 'object' && value !== null && 'schema' in value && 'example' in value,
);
const slugOf = (event: EventContract) => (isFamily(event.topic) ? 'northern-hosting' : undefined);
const meta = () => ({
  id: newEventId(),
  time: new Date('2026-11-23T09:00:00.000Z'),
  sequence: '7',
  correlationId: 'c-1',
});

describe('a contract', () => {
  it.each(events.map((event) => [event.type, event] as const))(
    '%s carries its own example there and back',
    (_type, event) => {
      const sent = meta();
      const wire = encodeEvent(event, event.example, sent, slugOf(event));
      const decoded = decodeMessage({ ...wire, key: Buffer.from(wire.key) }, events);
      expect(decoded).toMatchObject({ ok: true, event: { data: event.example, meta: sent } });
    },
  );

  it('has a type of its own', () => {
    expect(new Set(events.map((event) => event.type)).size).toBe(events.length);
  });

  it('refuses to put data on the wire that does not fit', () => {
    expect(() => encodeEvent(contracts.mailingCancelled, { subject: 'x', at: 'y' }, meta())).toThrow(
      /mailing-cancelled/,
    );
  });

  it.each([
    ['subject', `urn:uuid:${contracts.withdrawalConfirmed.example.subject}`],
    ['version', 2 ** 31],
  ])('takes no %s that a database has no room for', (field, value) => {
    const event = contracts.withdrawalConfirmed;
    const data = { ...event.example, [field]: value };
    expect(() => encodeEvent(event, data, meta(), 'northern-hosting')).toThrow(new RegExp(`/${field}`));
  });

  it('has tombstones on state topics only', () => {
    expect(encodeTombstone(contracts.feedRecord, 'k', meta(), 'northern-hosting').value).toBeNull();
    expect(() => encodeTombstone(contracts.mailingCancelled, 'k', meta())).toThrow(/no tombstones/);
  });
});

describe('a message that is no event', () => {
  const good = encodeEvent(contracts.mailingCancelled, contracts.mailingCancelled.example, meta());
  it.each([
    ['missing-headers', { ...good, headers: {} }],
    ['unknown-type', { ...good, headers: { ...good.headers, ce_type: 'other' } }],
    ['wrong-topic', { ...good, topic: 'customers.profiles.v1' }],
    ['missing-key', { ...good, key: null }],
    ['bad-json', { ...good, value: '{' }],
    ['unknown-shape', { ...good, value: '{"subject":"x"}' }],
    ['bad-data', { ...good, key: 'another' }],
    ['bad-data', { ...good, value: null }],
  ])('is told apart as %s', (reason, message) => {
    expect(decodeMessage(message, events)).toMatchObject({ ok: false, reason });
  });

  it('does not show the value in its detail', () => {
    const decoded = decodeMessage({ ...good, value: '{"subject":"secret-value","at":"x"}' }, events);
    expect(JSON.stringify(decoded)).not.toContain('secret-value');
  });
});

describe('the slug of a recipient', () => {
  it.each(['p1.eu', 'P1', 'a', '1a', 'x'.repeat(40), 'a_b', ''])('is not "%s"', (slug) => {
    expect(() => contracts.feeds.of(slug)).toThrow(/slug/);
  });
});
