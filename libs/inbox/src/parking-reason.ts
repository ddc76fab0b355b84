import { Poison, Refused } from '@castiron/failures';

/** Why a message is parked; undefined where it may be a matter of another try. */
export function parkingReason(error: unknown): string | undefined {
  if (error instanceof Poison) return error.reason;
  if (error instanceof Refused) return error.refusal.code;
  return undefined;
}
