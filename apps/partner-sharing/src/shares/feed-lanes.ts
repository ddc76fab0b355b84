import { hashBits } from '@castiron/transactions';

/** Feed lanes; fixed when the database is made, since a subject's order lives in its lane. */
export const LANES = 16;

/** The lane of a subject: hash(subject id) mod 16. */
export function laneOf(subject: string): number {
  return Number(hashBits(subject, 8)) % LANES;
}
