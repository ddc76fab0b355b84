import { feedRecord, withdrawalDue } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { PartnerCopy } from './partner-copy.js';

const record = (version: number, attributes = feedRecord.example.attributes) => ({
  ...feedRecord.example,
  version,
  attributes,
});
const { subject } = feedRecord.example;

describe("a partner's copy", () => {
  it('holds what the feed says last, through its file and back', () => {
    const copy = new PartnerCopy('clearbook');
    copy.takeRecord(record(1));
    const again = new PartnerCopy('clearbook', JSON.parse(JSON.stringify(copy.toFile())));
    expect(again.size).toBe(1);
    expect(again.takeRecord(record(1))).toBeUndefined();
    expect(again.takeRecord(record(2, {}))).toBeDefined();
    expect(again.toFile().subjects).toEqual({});
    expect(JSON.stringify(again.toFile())).not.toContain('Example Ltd');
  });

  it('does not go back, not even after a deletion', () => {
    const copy = new PartnerCopy('clearbook');
    copy.takeRecord(record(3));
    copy.takeTombstone(subject);
    const again = new PartnerCopy('clearbook', copy.toFile());
    expect(again.takeRecord(record(2))).toBeUndefined();
    expect(again.size).toBe(0);
  });

  it('deletes on a duty that comes before its record', () => {
    const copy = new PartnerCopy('clearbook');
    copy.takeRecord(record(1));
    copy.takeWithdrawal({ ...withdrawalDue.example, version: 3 });
    expect(copy.size).toBe(0);
    expect(copy.takeRecord(record(2))).toBeUndefined();
  });

  it('deletes whoever the feed does not know any more', () => {
    const copy = new PartnerCopy('clearbook');
    copy.takeRecord(record(1));
    expect(copy.keepOnly(new Set([subject]))).toEqual([]);
    expect(copy.keepOnly(new Set())).toHaveLength(1);
    expect(copy.size).toBe(0);
  });

  it('remembers what it confirmed', () => {
    const copy = new PartnerCopy('clearbook');
    copy.markConfirmed('o1', new Date('2026-11-23T09:00:00.000Z'));
    expect(new PartnerCopy('clearbook', copy.toFile()).isConfirmed('o1')).toBe(true);
  });
});
