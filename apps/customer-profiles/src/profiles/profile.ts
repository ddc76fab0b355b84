import type { AttributeName, DataOf, DoorName, profileChanged, PurposeName } from '@castiron/contracts';

/** What is known of a customer, without the values. */
interface ProfileFacts {
  readonly customer: string;
  /** Grows by one with every change. */
  readonly version: number;
  readonly door: DoorName;
  readonly purposes: readonly PurposeName[];
  readonly origin: 'registered' | 'imported';
  /** The statement that was in effect when the customer came. */
  readonly statementVersion: number;
  readonly registeredAt: Date;
}

/** A value in the clear: in memory only, for as long as one request takes. */
export interface Profile extends ProfileFacts {
  readonly values: ReadonlyMap<AttributeName, string>;
}

/** A value as it is stored and published, with the profile's version at which it was given. */
export interface SealedValue {
  readonly version: number;
  readonly sealed: Buffer;
}

export interface SealedProfile extends ProfileFacts {
  readonly attributes: ReadonlyMap<AttributeName, SealedValue>;
}

/** A profile as it goes on the wire. */
export function profileChangedOf(profile: SealedProfile): DataOf<typeof profileChanged> {
  return {
    customer: profile.customer,
    version: profile.version,
    door: profile.door,
    purposes: [...profile.purposes],
    origin: profile.origin,
    statementVersion: profile.statementVersion,
    registeredAt: profile.registeredAt.toISOString(),
    attributes: Object.fromEntries(
      [...profile.attributes].map(([name, { version, sealed }]) => [
        name,
        { version, sealed: sealed.toString('base64') },
      ]),
    ),
  };
}
