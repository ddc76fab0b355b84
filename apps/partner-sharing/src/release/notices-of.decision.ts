import type { NoticeKind } from '@castiron/contracts';
import type { Outcome } from './outcome.js';

/** The internal recipient that tells customers what they must know. */
export const NOTIFIER = 'notifications';

export interface Notice {
  readonly kind: NoticeKind;
  /** The partner's public name. */
  readonly about?: string;
}

/**
 * What a customer is told after a record: a welcome when notifications first gets to know a customer that registered,
 * and that sharing with a partner has started or ended. Pure.
 */
export function noticeOf(outcome: Outcome, origin: 'registered' | 'imported' | undefined): Notice | undefined {
  const { kind, before, internal, recipient, recipientName } = outcome;
  if (recipient === NOTIFIER) {
    return kind === 'released' && before.state === 'none' && origin === 'registered' ? { kind: 'welcome' } : undefined;
  }
  if (internal) return undefined;
  if (kind === 'released' && before.state !== 'released') return { kind: 'sharing-started', about: recipientName };
  if (kind === 'withdrawn' && before.state === 'released') return { kind: 'sharing-ended', about: recipientName };
  return undefined;
}
