import type { AttributeName, DoorName, Ground, PurposeName, RecipientKind, Tier } from '@castiron/contracts';

/** A purpose and the attributes a recipient asks for it. */
export interface ListedPurpose {
  readonly purpose: PurposeName;
  readonly attributes: readonly AttributeName[];
}

/** A purpose of an agreement, with the ground the two sides signed for. The same purpose may stand once per ground. */
export interface AgreedPurpose extends ListedPurpose {
  readonly ground: Exclude<Ground, 'own-purpose'>;
}

export interface RecipientFacts {
  readonly slug: string;
  readonly kind: RecipientKind;
  /** What an internal recipient is registered for; of no meaning for any other kind. */
  readonly registeredPurposes: readonly ListedPurpose[];
}

export interface AgreementFacts {
  readonly id: string;
  readonly state: 'drafted' | 'in-force' | 'terminated';
  /** In force from this instant on. */
  readonly from: Date;
  /** In force up to this instant, which is no longer part of the term; null where the term is open. */
  readonly until: Date | null;
  readonly highestTier: Tier;
  readonly purposes: readonly AgreedPurpose[];
}

export interface CustomerFacts {
  readonly erased: boolean;
  readonly door: DoorName;
  /** The purposes the customer's data was taken in for; never reaches beyond the door. */
  readonly purposes: readonly PurposeName[];
  /** Names of the attributes the customer has given and not withdrawn. */
  readonly held: readonly AttributeName[];
}

/**
 * All that a decision about one customer and one recipient rests on. No value of any attribute is among it, so a
 * decision can be taken, logged and tested without personal data.
 */
export interface Facts {
  readonly recipient: RecipientFacts;
  /** The recipient's agreement, whatever its state; null where there is none. Of no meaning for internal recipients. */
  readonly agreement: AgreementFacts | null;
  readonly customer: CustomerFacts;
  /** What this customer told this recipient, per purpose. A missing purpose was never permitted. */
  readonly permissions: Readonly<Partial<Record<PurposeName, 'granted' | 'revoked'>>>;
  /**
   * Purposes for which this customer objected to cooperation with this recipient. A revoked permission counts as an
   * objection by itself and need not be repeated here. An objection takes nothing from a permission that is granted:
   * a use case that records one revokes the permission with it.
   */
  readonly objections: readonly PurposeName[];
}
