import { NOTHING_HELD, holdsAnything, usableValue, type HeldCopy } from '@castiron/contracts';
import { newKey, open, seal, unwrapKey, wrapKey } from '@castiron/encryption';
import type { EntityManager } from 'typeorm';
import { isMailAddress } from '../mail/mail-address.js';

interface SubjectRow {
  readonly subject: string;
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
    return (await this.loadAll(manager, [subject])).get(subject) ?? NOTHING_HELD;
  }

  /** The copies of those that are known. */
  async loadAll(manager: EntityManager, subjects: readonly string[]): Promise<Map<string, HeldCopy>> {
    const rows: SubjectRow[] = await manager.query(
      `SELECT subject, version, floor, deleted, mailing, sealed, wrapped
         FROM subjects LEFT JOIN subject_keys USING (subject) WHERE subject = ANY ($1::uuid[])`,
      [subjects],
    );
    return new Map(
      rows.map((row) => {
        const { subject, version, floor, deleted, mailing } = row;
        return [subject, { version, floor, deleted, mailing, attributes: this.attributesOf(subject, row) }];
      }),
    );
  }

  private attributesOf(subject: string, { version, sealed, wrapped }: SubjectRow): HeldCopy['attributes'] {
    if (sealed === null || wrapped === null) return {};
    const key = unwrapKey(this.serviceKey, wrapped, keyAad(subject));
    // Sound: sealed by `store`, and opened by its own key only.
    return JSON.parse(open(key, sealed, contentAad(subject, version)).toString()) as HeldCopy['attributes'];
  }

  /** Replaces the copy. The caller holds the subject's order, or two writers could go back in versions. */
  store(manager: EntityManager, subject: string, copy: HeldCopy): Promise<void> {
    return this.storeAll(manager, new Map([[subject, copy]]));
  }

  /** As {@link store}, of each subject. */
  async storeAll(manager: EntityManager, copies: ReadonlyMap<string, HeldCopy>): Promise<void> {
    const rows = [...copies].map(([subject, copy]) => {
      const key = holdsAnything(copy) ? newKey() : undefined;
      return {
        ...copy,
        subject,
        noticeAddress: isMailAddress(usableValue(copy, 'email', 'notices')),
        mailingAddress: isMailAddress(usableValue(copy, 'email', 'mailing')),
        sealed: key && seal(key, JSON.stringify(copy.attributes), contentAad(subject, copy.version)),
        wrapped: key && wrapKey(this.serviceKey, key, keyAad(subject)),
      };
    });
    const column = <Name extends keyof (typeof rows)[number]>(name: Name) => rows.map((row) => row[name] ?? null);
    await manager.query('DELETE FROM subject_keys WHERE subject = ANY ($1::uuid[])', [column('subject')]);
    await manager.query(
      `INSERT INTO subjects (subject, version, floor, deleted, mailing, notice_address, mailing_address, sealed)
       SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::boolean[], $5::text[], $6::boolean[], $7::boolean[], $8::bytea[])
       ON CONFLICT (subject) DO UPDATE
         SET version = excluded.version, floor = excluded.floor, deleted = excluded.deleted, mailing = excluded.mailing,
             notice_address = excluded.notice_address, mailing_address = excluded.mailing_address, sealed = excluded.sealed`,
      [
        column('subject'),
        column('version'),
        column('floor'),
        column('deleted'),
        column('mailing'),
        column('noticeAddress'),
        column('mailingAddress'),
        column('sealed'),
      ],
    );
    await manager.query(
      `INSERT INTO subject_keys (subject, wrapped)
       SELECT * FROM unnest($1::uuid[], $2::bytea[]) AS key (subject, wrapped) WHERE wrapped IS NOT NULL`,
      [column('subject'), column('wrapped')],
    );
  }
}
