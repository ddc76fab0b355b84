import type { Done } from '../history.js';

/** An event that a transaction committed to an outbox. */
export interface Committed {
  readonly service: string;
  /** Grows with each commit of the same key. */
  readonly order: number;
  readonly id: string;
  readonly topic: string;
  readonly key: string;
}

/** A record as it stands on its topic; of a topic they come by partition and offset. */
export interface Delivered {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** The event's id; each copy of the event has the same. */
  readonly id: string;
  /** Whether we put it there. */
  readonly isCopy: boolean;
}

/** A record of a topic where each key has versions. */
export interface VersionedRecord extends Delivered {
  readonly version: number;
}

/** A record of a recipient's feed. */
export interface FeedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  /** The customer, by the recipient's own name for it. */
  readonly subject: string;
  /** null: a tombstone. */
  readonly version: number | null;
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly purposes: Readonly<Record<string, readonly string[]>>;
  /** Whether the recipient may mail, by the record's own word; undefined: a tombstone has none. */
  readonly mailing: string | undefined;
  /** When the broker appended it, in ms since the epoch. */
  readonly at: number;
}

/** A record that was not sent, by the ledger's word. */
export interface Aborted {
  /** `maybe`: nobody could tell any more, so it counts as disclosed. */
  readonly reached: 'no' | 'maybe';
  readonly recipient: string;
  readonly subject: string;
  readonly version: number;
  readonly purposes: FeedRecord['purposes'];
}

/** An entry of the ledger. */
export interface LedgerEntry {
  readonly index: number;
  readonly id: string;
  readonly recipient: string;
}

/** An event that tells of an entry of the ledger; its key is the recipient. */
export interface Announcement extends Delivered {
  readonly index: number;
  readonly entry: string;
}

/** An event that tells a recipient of what a record took from it. */
export interface Withdrawal {
  readonly id: string;
  readonly subject: string;
  /** Of the record. */
  readonly version: number;
}

/** A duty to delete or to stop using, as it stands in the database. */
export interface Obligation {
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
  readonly version: number;
  readonly state: string;
}

/** An event by which a recipient says that it has done so. */
export interface Confirmation {
  readonly id: string;
  /** The obligation. */
  readonly about: string;
}

/** An event that tells notifications of something that a customer must know. */
export interface Notice {
  readonly id: string;
  readonly notice: string;
  /** The customer, as notifications knows it. */
  readonly subject: string;
  readonly kind: string;
  /** The name of the other company. */
  readonly about: string | undefined;
}

/** A mail in the database of who sends it. */
export interface Mail {
  readonly id: string;
  /** The customer, as notifications knows it. */
  readonly subject: string;
  /** null: it is no notice, but a mailing. */
  readonly notice: string | null;
  readonly status: string;
  /** How often it was taken in hand. */
  readonly attempts: number;
  /** In ms since the epoch. */
  readonly createdAt: number;
  /** Whether it may be in somebody's hands at this moment. */
  readonly isClaimed: boolean;
  /** Whether the mail server had it once and gave no answer. */
  readonly isInDoubt: boolean;
}

export interface Share {
  readonly customer: string;
  readonly recipient: string;
  readonly subject: string;
  readonly lane: number;
  readonly version: number;
  readonly state: string;
}

/** A partner that has ended its agreement, or was to. */
export interface Leaving {
  readonly slug: string;
  /** Of its agreement, as it stands in the database, and as it was told last. */
  readonly state: string;
  readonly told: string | undefined;
  readonly feed: readonly FeedRecord[];
}

/** A version that a consumer's row went through. */
export interface Step {
  readonly place: string;
  readonly key: string;
  readonly before: number | null;
  readonly after: number;
  /** When, in ms since the epoch; others see it once its transaction has committed. */
  readonly at: number;
}

/** How often those who send mail were interrupted. */
export interface Interruptions {
  /** One left what it did to others: it was killed, ended by itself, or stood still for long. */
  readonly left: number;
  /** One cut off what it was sending: it was asked to end, ended by itself, or stood still for long. */
  readonly cutOff: number;
  /** One may have left mails behind that it had claimed, or does not know to have claimed: whatever befell it or its database. */
  readonly forgot: number;
  /** The same, so late that its claim may still hold. */
  readonly forgotLately: number;
}

/** An answer of 5xx, or one whose body is not what it says. */
export interface Troubled {
  readonly question: string;
  readonly status: number;
  /** Whether its body could be read. */
  readonly isRead: boolean;
}

/** All that can be seen once a run is over and everything is healed, of this run's customers only. */
export interface Observed {
  readonly operations: readonly Done[];
  /** Of all that was asked, also again, or only to look. */
  readonly troubled: readonly Troubled[];
  /** The slug of the run's partner. */
  readonly partner: string;
  /** Makes the values of this run its own: `<run>-<operation>`. */
  readonly run: string;
  /** Every event that was committed during the run, and what stands on the topics of them. */
  readonly committed: readonly Committed[];
  readonly delivered: readonly Delivered[];
  /** The profiles as a user reads them: of every customer that came to be, answered or not. */
  readonly finals: ReadonlyMap<
    string,
    { readonly version: number; readonly attributes: Readonly<Record<string, string>> }
  >;
  readonly profiles: readonly VersionedRecord[];
  /** Key: `<customer>/<recipient>/<purpose>`. */
  readonly permissions: readonly (VersionedRecord & { readonly state: string })[];
  /** By the same key: where the permission stands in the database. */
  readonly permitted: ReadonlyMap<string, { readonly version: number; readonly state: string }>;
  /** By customer: what partner-sharing made of the profiles. */
  readonly copies: ReadonlyMap<string, number>;
  readonly shares: readonly Share[];
  readonly partnerFeed: readonly FeedRecord[];
  readonly leaving: readonly Leaving[];
  /** By the word of partner-sharing. */
  readonly aborted: readonly Aborted[];
  /** Entries of the ledger that partner-sharing takes for announced, and what stands on the topic of them. */
  readonly entries: readonly LedgerEntry[];
  readonly announcements: readonly Announcement[];
  readonly notificationsFeed: readonly FeedRecord[];
  /** By subject: what notifications made of its feed. */
  readonly subjects: ReadonlyMap<string, number>;
  /** Subjects whose mailings notifications takes for cancelled. */
  readonly cancelled: ReadonlySet<string>;
  /** Withdrawals that recipients were told, the obligations, and what notifications answered. */
  readonly withdrawals: readonly Withdrawal[];
  readonly obligations: readonly Obligation[];
  readonly confirmations: readonly Confirmation[];
  /**
   * Notices that notifications was told, all mails that it has, in the order in which it made them, and to which address the
   * mail server got each, by its id: as often as it did.
   */
  readonly notices: readonly Notice[];
  readonly mails: readonly Mail[];
  readonly letters: ReadonlyMap<string, readonly string[]>;
  readonly interruptions: Interruptions;
  readonly trail: readonly Step[];
  /** Messages that were put aside, in words; nothing that users do here is to be, not even for a while. */
  readonly parked: readonly string[];
  /** What had not come to rest when the time was up. */
  readonly unsettled: readonly string[];
  /** Topics that were not given out to their end: what is not among their records may stand there. */
  readonly cutShort: ReadonlySet<string>;
  /** Services whose outbox still holds what was not sent. */
  readonly unsent: ReadonlySet<string>;
}

/** What the history can not be, were the promises kept. */
export interface Anomaly {
  readonly kind:
    | 'lost'
    | 'duplicated'
    | 'reordered'
    | 'invented'
    | 'stuck'
    | 'revoked-and-sent'
    | 'stale-last'
    | 'wrong'
    /** A process ended by itself, and not by design; or says of an edit that it does not work. */
    | 'crashed'
    /** The rig did not come to its end. */
    | 'unfinished'
    | 'too-little';
  readonly what: string;
}
