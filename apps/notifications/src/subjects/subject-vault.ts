import { NOTHING_HELD, holdsAnything, usableValue, type HeldCopy } from '@castiron/contracts';
import { newKey, open, seal, unwrapKey, wrapKey } from '@castiron/encryption';
import type { EntityManager } from 'typeorm';
import { isMailAddress } from '../mail/mail-address.js';

interface SubjectRow {
  readonly version: number;
  readonly floor: number;
  readonly deleted: boolean;
  readonly mailing: HeldCopy['mailing'];
  readonly sealed: Buffer | null;
  readonly wrapped: Buffer | null;
}

const contentAad = (subject: string, version: number): string => `castiron/notifications/subject/${subject}/${version}`;
const keyAad = (subject: string): string => `castiron/notifications/subject-key/${subject}`;

/**
 * Keeps what this recipient may hold about each subject, sealed at rest. Every copy has a new key of its own, wrapped under
 * the service's key; replacing or ending a copy destroys the key with it.
 */
export class SubjectVault {
  constructor(private readonly serviceKey: Buffer) {}

  /** The copy now; {@link NOTHING_HELD} where the subject is not known. */
  async load(manager: EntityManager, subject: string): Promise<HeldCopy> {
    const [row]: (SubjectRow | undefined)[] = await manager.query(
      `SELECT version, floor, deleted, mailing, sealed, wrapped
         FROM subjects LEFT JOIN subject_keys USING (subject) WHERE subject = $1`,
      [subject],
    );
    if (row === undefined) return NOTHING_HELD;
    const { version, floor, deleted, mailing } = row;
    return { version, floor, deleted, mailing, attributes: this.attributesOf(subject, row) };
  }

  private attributesOf(subject: string, { version, sealed, wrapped }: SubjectRow): HeldCopy['attributes'] {
    if (sealed === null || wrapped === null) return {};
    const key = unwrapKey(this.serviceKey, wrapped, keyAad(subject));
    // Sound: sealed by `store`, and opened by its own key only.
    return JSON.parse(open(key, sealed, contentAad(subject, version)).toString()) as HeldCopy['attributes'];
  }

  /** Replaces the copy. The caller holds the subject's order, or two writers could go back in versions. */
  async store(manager: EntityManager, subject: string, copy: HeldCopy): Promise<void> {
    await manager.query('DELETE FROM subject_keys WHERE subject = $1', [subject]);
    const key = holdsAnything(copy) ? newKey() : undefined;
    await manager.query(
      `INSERT INTO subjects (subject, version, floor, deleted, mailing, notice_address, mailing_address, sealed)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (subject) DO UPDATE
         SET version = excluded.version, floor = excluded.floor, deleted = excluded.deleted, mailing = excluded.mailing,
             notice_address = excluded.notice_address, mailing_address = excluded.mailing_address, sealed = excluded.sealed`,
      [
        subject,
        copy.version,
        copy.floor,
        copy.deleted,
        copy.mailing,
        isMailAddress(usableValue(copy, 'email', 'notices')),
        isMailAddress(usableValue(copy, 'email', 'mailing')),
        key === undefined ? null : seal(key, JSON.stringify(copy.attributes), contentAad(subject, copy.version)),
      ],
    );
    if (key === undefined) return;
    await manager.query('INSERT INTO subject_keys (subject, wrapped) VALUES ($1, $2)', [
      subject,
      wrapKey(this.serviceKey, key, keyAad(subject)),
    ]);
  }
}
