import { afterRecord, feedRecord, NOTHING_HELD, type HeldCopy } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { inColour, plain, printable, showChange } from './display.js';

const { subject } = feedRecord.example;
const held = afterRecord(NOTHING_HELD, feedRecord.example) as HeldCopy;
const ended = afterRecord(held, { ...feedRecord.example, version: 3, attributes: {} }) as HeldCopy;
const at = new Date();

describe('the screen of a partner', () => {
  it('says who, what, and for which purpose on which ground', () => {
    const shown = showChange(plain, at, { subject, before: NOTHING_HELD, after: held });
    expect(shown).toMatch(/\+ Example Ltd \(8d0e5a0e\) shared with you version 2/);
    expect(shown).toMatch(/companyName +Example Ltd +recommendation \(permission\)/);
  });

  it('says which purpose ended of what stays for another', () => {
    const more = structuredClone(held);
    more.attributes.companyName?.purposes.push({ purpose: 'service-delivery', ground: 'permission' });
    const shown = showChange(plain, at, { subject, before: more, after: held });
    expect(shown).toMatch(/companyName +Example Ltd +recommendation \(permission\)\n +no longer for service-delivery/);
    expect(showChange(plain, at, { subject, before: held, after: held })).not.toContain('no longer');
  });

  it('says what is to be gone', () => {
    const shown = showChange(plain, at, { subject, before: held, after: ended });
    expect(shown).toMatch(/- Example Ltd \(8d0e5a0e\) withdrawn version 3/);
    expect(shown).toMatch(/companyName +deleted/);
  });

  it('lets no value steer the terminal', () => {
    expect(printable('a\u001b[2Jb\r\nc\u202ed')).toBe('a\u{fffd}[2Jb / c\u{fffd}d');
    expect(showChange(inColour, at, { subject, before: NOTHING_HELD, after: held })).toContain('\u001b[');
  });
});
