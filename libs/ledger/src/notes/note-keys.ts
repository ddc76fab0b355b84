import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto';
import { fromBase64 } from './base64.js';

/** The signature type of Ed25519 (C2SP signed-note). */
const ED25519 = Buffer.of(0x01);
const KEY_BYTES = 32;

/** PKCS #8 of an Ed25519 key up to the key itself (RFC 8410 section 7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** How many bytes of a signature line name its key. */
export const KEY_ID_BYTES = 4;

/** Whom a signature line names. */
interface KeyOwner {
  readonly name: string;
  /** 4 bytes, of the name and the public key. */
  readonly id: Buffer;
}

export interface NoteSigner extends KeyOwner {
  readonly privateKey: KeyObject;
  /** What others verify with: `<name>+<id>+<type and public key>` (C2SP signed-note, a vkey). */
  readonly verifierKey: string;
}

export interface NoteVerifier extends KeyOwner {
  readonly publicKey: KeyObject;
}

/** Without spaces of any kind, plus or control characters. */
const KEY_NAME = /^[^\s\p{Z}\p{C}+]+$/u;

function ownerOf(name: string, publicBytes: Buffer): KeyOwner {
  if (!KEY_NAME.test(name)) throw new TypeError('the name of a key has neither spaces, control characters nor a plus');
  const named = Buffer.concat([Buffer.from(`${name}\n`), ED25519, publicBytes]);
  return { name, id: hash('sha256', named, 'buffer').subarray(0, KEY_ID_BYTES) };
}

/**
 * @param name as the signature lines shall show it; a log's is its origin
 * @param secret the private key of Ed25519: 32 bytes by chance (RFC 8032 section 5.1.5)
 * @throws TypeError on a name that no line can show; RangeError on a key of another length
 */
export function noteSigner(name: string, secret: Buffer): NoteSigner {
  if (secret.length !== KEY_BYTES) throw new RangeError(`a private key of Ed25519 has ${KEY_BYTES} bytes`);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' });
  const publicBytes = Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url');
  const owner = ownerOf(name, publicBytes);
  const encoded = Buffer.concat([ED25519, publicBytes]).toString('base64');
  return { ...owner, privateKey, verifierKey: `${name}+${owner.id.toString('hex')}+${encoded}` };
}

/** @throws TypeError where the text is no verifier key of Ed25519: what is wrong with it */
export function noteVerifier(verifierKey: string): NoteVerifier {
  const [name = '', id, ...rest] = verifierKey.split('+');
  const encoded = fromBase64(rest.join('+'));
  if (encoded?.length !== ED25519.length + KEY_BYTES || !encoded.subarray(0, 1).equals(ED25519))
    throw new TypeError('a verifier key is <name>+<id>+<type and public key in base64>, of type Ed25519');
  const publicBytes = encoded.subarray(1);
  const owner = ownerOf(name, publicBytes);
  if (owner.id.toString('hex') !== id)
    throw new TypeError('the id in the verifier key is not that of its name and key');
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicBytes.toString('base64url') };
  return { ...owner, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) };
}
