import {
  afterRecord,
  afterTombstone,
  afterWithdrawal,
  holdsAnything,
  NOTHING_HELD,
  type DataOf,
  type feedRecord,
  type HeldCopy,
  type withdrawalDue,
} from '@castiron/contracts';

/** What a message did to the copy, to be shown. */
export interface Change {
  readonly subject: string;
  readonly before: HeldCopy;
  readonly after: HeldCopy;
}

/** The content of `partner-<slug>.json`. */
export interface CopyFile {
  readonly recipient: string;
  /** All that this partner may hold now, by subject. */
  readonly subjects: Readonly<Record<string, Pick<HeldCopy, 'version' | 'attributes' | 'mailing'>>>;
  /** Versions only, of every subject ever seen: so that nothing goes back. */
  readonly seen: Readonly<Record<string, Pick<HeldCopy, 'version' | 'floor' | 'deleted'>>>;
  /** Withdrawals that were confirmed, and when. */
  readonly confirmed: Readonly<Record<string, string>>;
}

/** A partner's copy of its feed. Does no input or output. */
export class PartnerCopy {
  private readonly copies = new Map<string, HeldCopy>();
  private readonly confirmed = new Map<string, string>();

  constructor(
    private readonly recipient: string,
    file?: CopyFile,
  ) {
    for (const [subject, seen] of Object.entries(file?.seen ?? {})) {
      this.copies.set(subject, { ...NOTHING_HELD, ...seen, ...file?.subjects[subject] });
    }
    for (const [obligation, at] of Object.entries(file?.confirmed ?? {})) this.confirmed.set(obligation, at);
  }

  /** Replaces what is held about a subject; undefined where the record is older than the copy. */
  takeRecord(record: DataOf<typeof feedRecord>): Change | undefined {
    return this.replace(record.subject, (copy) => afterRecord(copy, record));
  }

  /** Deletes what is held about a subject. */
  takeTombstone(subject: string): Change | undefined {
    return this.replace(subject, afterTombstone);
  }

  /** Deletes what a withdrawal names; undefined where that is gone already. */
  takeWithdrawal(duty: DataOf<typeof withdrawalDue>): Change | undefined {
    return this.replace(duty.subject, (copy) => afterWithdrawal(copy, duty));
  }

  /**
   * Deletes whoever does not stand on a feed that was read as a whole: its deletion was compacted away while this
   * partner was not reading.
   */
  keepOnly(subjects: ReadonlySet<string>): Change[] {
    const gone = [...this.copies].filter(([subject, copy]) => holdsAnything(copy) && !subjects.has(subject));
    return gone.flatMap(([subject]) => this.takeTombstone(subject) ?? []);
  }

  isConfirmed(obligation: string): boolean {
    return this.confirmed.has(obligation);
  }

  markConfirmed(obligation: string, at: Date): void {
    this.confirmed.set(obligation, at.toISOString());
  }

  /** How many subjects something is held about. */
  get size(): number {
    return [...this.copies.values()].filter(holdsAnything).length;
  }

  toFile(): CopyFile {
    const held = [...this.copies].filter(([, copy]) => holdsAnything(copy));
    return {
      recipient: this.recipient,
      subjects: Object.fromEntries(
        held.map(([subject, { version, attributes, mailing }]) => [subject, { version, mailing, attributes }]),
      ),
      seen: Object.fromEntries(
        [...this.copies].map(([subject, { version, floor, deleted }]) => [subject, { version, floor, deleted }]),
      ),
      confirmed: Object.fromEntries(this.confirmed),
    };
  }

  private replace(subject: string, next: (copy: HeldCopy) => HeldCopy | undefined): Change | undefined {
    const before = this.copies.get(subject) ?? NOTHING_HELD;
    const after = next(before);
    if (after === undefined || after === before) return undefined;
    this.copies.set(subject, after);
    return { subject, before, after };
  }
}
