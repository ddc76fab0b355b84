import type { DoorName, AttributeName, PurposeName } from '@castiron/contracts';

/**
 * What a decision rested on, so that it can be taken again: the version of whatever has a history, and the rest itself. It
 * tells of a customer and goes with them; no value is in it.
 */
export interface DecidedOn {
  /** Each change of an agreement's state raises it; null where there was no agreement. */
  readonly agreementEpoch: string | null;
  /** By `permission_history`. */
  readonly permissions: Versions;
  /** Those that stood, by `objection_history`. */
  readonly objections: Versions;
  /** Of a profile nothing but its last version is kept elsewhere. */
  readonly customer: {
    readonly version: number;
    readonly door: DoorName;
    readonly purposes: readonly PurposeName[];
    readonly held: readonly AttributeName[];
  };
}

export type Versions = Readonly<Partial<Record<PurposeName, number>>>;
