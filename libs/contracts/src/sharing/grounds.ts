import { Type } from 'typebox';
import { PURPOSE_NAMES } from '../catalogue.js';

/** The closed list of grounds a disclosure may rest on (P8, P10, P13). */
export const GROUNDS = ['permission', 'cooperation', 'own-purpose'] as const;
export type Ground = (typeof GROUNDS)[number];

/** One purpose an attribute may be used for, and the ground that allows it. */
export const PurposeWithGround = Type.Object(
  { purpose: Type.Enum(PURPOSE_NAMES), ground: Type.Enum([...GROUNDS]) },
  { additionalProperties: false },
);

export const RECIPIENT_KINDS = ['network-member', 'third-party', 'event-co-sponsor', 'successor', 'internal'] as const;
export type RecipientKind = (typeof RECIPIENT_KINDS)[number];
