import type { OwnRecord } from '@castiron/outbox';

/** What a recovery tells while it runs, and what stays of it. */
export interface RecoveryLog {
  /** Nothing is changed: it is only told what would be. */
  readonly dryRun: boolean;
  /** What is being done now. */
  phase(what: string): void;
  /** So many more of something that was re-applied, or would be: `permissions revoked`. */
  count(what: string, by?: number): void;
  /** Something that people must know, and that no number says. Without personal data. */
  note(text: string): void;
}

/** How a service that was restored from a backup catches up with what it told others before. */
export interface Recovery {
  /** What shows, beside its own topics, that the database was restored, in a sentence; undefined: nothing does. */
  readonly behind?: () => Promise<string | undefined>;
  /**
   * Takes away again whatever was taken away since the backup was made. Of each topic it gets what stands behind the marks,
   * in order; nothing is sent, disclosed or consumed meanwhile. It may end anywhere and run again.
   */
  readonly recover: (records: ReadonlyMap<string, readonly OwnRecord[]>, log: RecoveryLog) => Promise<void>;
}
