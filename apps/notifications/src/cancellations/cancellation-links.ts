import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

const SUBJECT_BYTES = 16;

/** 16 bytes of subject and 32 of MAC are 64 characters without a bit to spare: each token has one spelling. */
const TOKEN = /^[A-Za-z0-9_-]{64}$/;

/**
 * Makes and reads cancellation links. The token is the subject's id (random, and ours alone) with an HMAC-SHA256 over
 * it: unforgeable, valid as long as the service's key, and still good after a database was restored.
 */
export class CancellationLinks {
  private readonly key: Buffer;

  /** @param serviceKey 32 bytes, the service's own */
  constructor(
    serviceKey: Buffer,
    private readonly publicUrl: string,
  ) {
    this.key = Buffer.from(hkdfSync('sha256', serviceKey, '', 'castiron/notifications/cancellation-link', 32));
  }

  linkOf(subject: string): string {
    const id = Buffer.from(subject.replaceAll('-', ''), 'hex');
    const token = Buffer.concat([id, this.macOf(id)]).toString('base64url');
    return `${this.publicUrl.replace(/\/+$/, '')}/cancellations/${token}`;
  }

  /** The subject that the token was made for; undefined where we did not make it. */
  subjectOf(token: string): string | undefined {
    if (!TOKEN.test(token)) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    const id = bytes.subarray(0, SUBJECT_BYTES);
    if (!timingSafeEqual(bytes.subarray(SUBJECT_BYTES), this.macOf(id))) return undefined;
    return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  private macOf(id: Buffer): Buffer {
    return createHmac('sha256', this.key).update(id).digest();
  }
}
