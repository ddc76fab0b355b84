import { describe, expect, it } from 'vitest';
import { decideName, decideValue, fieldOf } from './attribute-values.decision.js';

const value = (name: Parameters<typeof decideValue>[0], given: unknown) => decideValue(name, given, name);

describe('a value', () => {
  it.each([
    ['companyName', 'Müller & Söhne "株式会社" 🏗 =cmd()'],
    ['registeredAddress', '1 Main Street\nSpringfield'],
    ['email', 'first.last+tag@mail.example.co.uk'],
    ['email', "o'neil@müller.example"],
  ] as const)('of %s is kept as it was given', (name, given) => {
    expect(value(name, given)).toEqual({ ok: true, value: given });
  });

  it('has its line breaks as LF', () => {
    expect(value('registeredAddress', 'a\r\nb')).toEqual({ ok: true, value: 'a\nb' });
  });

  it.each([
    ['attribute-not-text', 'companyName', 7],
    ['attribute-not-text', 'companyName', null],
    ['attribute-not-text', 'companyName', ['a']],
    ['attribute-not-unicode', 'companyName', 'a\ud800'],
    ['attribute-empty', 'companyName', ''],
    ['attribute-empty', 'registeredAddress', ' \n '],
    ['attribute-too-long', 'companyName', 'x'.repeat(201)],
    ['attribute-control-characters', 'companyName', 'a\nb'],
    ['attribute-control-characters', 'companyName', 'a\r\nb'],
    ['attribute-control-characters', 'companyName', 'a\u0000b'],
    ['attribute-control-characters', 'companyName', 'a\u0085b'],
    ['attribute-control-characters', 'companyName', 'a\u2028b'],
    ['attribute-control-characters', 'registeredAddress', 'a\rb'],
    ['attribute-control-characters', 'registeredAddress', 'a\tb'],
    ['attribute-control-characters', 'email', 'a@example.com\nBcc: b@example.com'],
    ['attribute-not-an-email', 'email', 'nobody'],
    ['attribute-not-an-email', 'email', 'a@localhost'],
    ['attribute-not-an-email', 'email', 'a@b@example.com'],
    ['attribute-not-an-email', 'email', 'a@-example.com'],
    ['attribute-not-an-email', 'email', 'a@example.com, b@example.com'],
    ['attribute-not-an-email', 'email', 'A <a@example.com>'],
  ] as const)('is refused: %s in %s', (code, name, given) => {
    expect(value(name, given)).toMatchObject({
      ok: false,
      refusal: { kind: 'invalid', code, field: name, promise: 'P6' },
    });
  });
});

describe('a name', () => {
  it('must be in the catalogue (P1)', () => {
    for (const name of ['shoeSize', '__proto__', 'constructor']) {
      expect(decideName('service-order', name, name)).toMatchObject({
        refusal: { code: 'attribute-unknown', promise: 'P1' },
      });
    }
  });

  it('must be asked for by the door (P12)', () => {
    expect(decideName('subscription', 'email', 'email')).toEqual({ ok: true, value: 'email' });
    expect(decideName('subscription', 'curriculumVitae', 'x')).toMatchObject({
      refusal: { code: 'attribute-not-asked', promise: 'P12' },
    });
  });

  it('is not shown again where it might be a value', () => {
    expect(fieldOf('attributes', 'companyName')).toBe('attributes.companyName');
    expect(fieldOf('attributes', 'someone@example.com')).toBe('attributes');
    expect(fieldOf('', 'a b')).toBe('body');
  });
});
