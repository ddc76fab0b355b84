import type { DataOf, feedRecord } from '@castiron/contracts';

/**
 * Whether a record of the feed ends a cancellation (P16). One that allows mailings and was made by who did not know of the
 * cancellation does not: its permission was there before. Who does know has taken that back, so what is allowed is permitted anew.
 * @param cancelledAt when the cancellation came
 */
export function isPermittedAnew(
  cancelledAt: Date,
  { mailing, mailingCancelledAt }: Pick<DataOf<typeof feedRecord>, 'mailing' | 'mailingCancelledAt'>,
): boolean {
  return mailing === 'allowed' && mailingCancelledAt !== undefined && new Date(mailingCancelledAt) >= cancelledAt;
}
