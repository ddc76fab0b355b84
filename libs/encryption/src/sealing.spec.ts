import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { attributeAad, newKey, open, seal, unwrapKey, wrapKey } from './index.js';

const customer = '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10';
const aad = attributeAad(customer, 'companyName', 1);

describe('a sealed value', () => {
  const key = newKey();

  it.each(['', 'x', 'Müller & Söhne 株式会社 🏗', 'a'.repeat(20_000)])('opens to what was sealed', (plain) => {
    expect(open(key, seal(key, plain, aad), aad).toString()).toBe(plain);
  });

  it('is nonce, ciphertext and tag, and never twice the same', () => {
    const [one, other] = [seal(key, 'Example Ltd', aad), seal(key, 'Example Ltd', aad)];
    expect(one).toHaveLength(12 + 'Example Ltd'.length + 16);
    expect(one.equals(other)).toBe(false);
    expect(one.includes('Example')).toBe(false);
  });

  it('does not open after any single bit was changed', () => {
    const sealed = seal(key, 'Example Ltd', aad);
    for (let at = 0; at < sealed.length; at += 1) {
      const tampered = Buffer.from(sealed);
      tampered[at] = (tampered[at] ?? 0) ^ 1;
      expect(() => open(key, tampered, aad)).toThrow();
    }
  });

  it('does not open under another key', () => {
    expect(() => open(newKey(), seal(key, 'Example Ltd', aad), aad)).toThrow();
  });

  it.each([
    ['customer', attributeAad('6f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10', 'companyName', 1)],
    ['attribute', attributeAad(customer, 'contactName', 1)],
    ['version', attributeAad(customer, 'companyName', 2)],
  ])('does not open for another %s', (_what, other) => {
    expect(() => open(key, seal(key, 'Example Ltd', aad), other)).toThrow();
  });

  it('does not open when cut short, at either end', () => {
    const sealed = seal(key, 'Example Ltd', aad);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => open(key, sealed.subarray(0, length), aad)).toThrow();
      expect(() => open(key, sealed.subarray(sealed.length - length), aad)).toThrow();
    }
  });

  it.each([4, 8, 12, 15])('does not open with a genuine tag of only %i bytes', (authTagLength) => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength });
    cipher.setAAD(Buffer.from(aad));
    const text = Buffer.concat([cipher.update('Example Ltd'), cipher.final()]);
    expect(() => open(key, Buffer.concat([nonce, text, cipher.getAuthTag()]), aad)).toThrow();
  });
});

describe('a wrapped key', () => {
  const kek = newKey();
  const key = newKey();

  it('unwraps for its owner only', () => {
    const wrapped = wrapKey(kek, key, 'a');
    expect(unwrapKey(kek, wrapped, 'a').equals(key)).toBe(true);
    expect(() => unwrapKey(kek, wrapped, 'b')).toThrow();
    expect(() => unwrapKey(newKey(), wrapped, 'a')).toThrow();
  });

  it('has the length of a key', () => {
    expect(() => wrapKey(kek, key.subarray(1), 'a')).toThrow(RangeError);
    expect(() => unwrapKey(kek, seal(kek, 'short', 'a'), 'a')).toThrow(RangeError);
  });
});
