import { byKey } from './by-key.js';
import type { Anomaly, Mail, Observed } from './observed.js';

/** Mails that a worker sends at the same time: so many may go twice, or be in doubt, where it is interrupted. */
const AT_ONCE = 5;

/** Each notice became one mail, which came to an end. */
function checkEnds({ operations, notices, shares, mails }: Observed): Anomaly[] {
  const byNotice = new Map(mails.map((mail) => [mail.notice, mail]));
  const customers = new Map(shares.map(({ subject, customer }) => [subject, customer]));
  const withdrawn = new Set(
    operations
      .filter(
        ({ operation, outcome }) =>
          operation.kind === 'withdraw' && operation.attribute === 'email' && outcome !== 'fail',
      )
      .map(({ customer }) => customer),
  );
  return [...byKey(notices, ({ notice }) => notice)].flatMap(([notice, [told]]): Anomaly[] => {
    const mail = byNotice.get(notice);
    if (mail === undefined)
      return [{ kind: 'lost', what: `the notice ${notice} was told, and no mail was made of it` }];
    const what = `the mail ${mail.id} of the notice ${notice} is ${mail.status}`;
    switch (mail.status) {
      case 'sent':
      // The mail server may have it, and nobody can know: see RFC 1047.
      case 'in-doubt':
        return [];
      case 'no-address':
        return withdrawn.has(customers.get(told?.subject ?? ''))
          ? []
          : [{ kind: 'lost', what: `${what}, though its customer never took the address away` }];
      case 'waiting':
      case 'queued':
      case 'sending':
        // One that is in doubt goes once more after an hour, for which nobody waits.
        return mail.isClaimed || (mail.isInDoubt && mail.status === 'queued') ? [] : [{ kind: 'stuck', what }];
      default:
        return [{ kind: 'lost', what }];
    }
  });
}

/** Mails of notices that were told in this run: an earlier one may have left others. */
function ofNotices({ notices, mails }: Pick<Observed, 'notices' | 'mails'>): Mail[] {
  const told = new Set(notices.map(({ notice }) => notice));
  return mails.filter(({ notice }) => told.has(notice ?? ''));
}

/** A mail is in doubt where its send was cut off, and nowhere else: the mail server answers at once. */
function checkDoubts(observed: Observed): Anomaly[] {
  const { cutOff } = observed.interruptions;
  const inDoubt = ofNotices(observed).filter(({ isInDoubt }) => isInDoubt).length;
  if (inDoubt <= cutOff * AT_ONCE) return [];
  return [{ kind: 'wrong', what: `${inDoubt} mails are in doubt, where sends were cut off ${cutOff} times` }];
}

/** Mails of this run that were sent, and came to the mail server. */
export const sentOf = ({ notices, mails, letters }: Pick<Observed, 'notices' | 'mails' | 'letters'>): number =>
  ofNotices({ notices, mails }).filter(({ status, id }) => status === 'sent' && letters.has(id)).length;

/** A notice that is in doubt may come once more; a mailing may not. */
const mayComeAgain = ({ isInDoubt, notice }: Mail): number => (isInDoubt && notice !== null ? 1 : 0);

/**
 * What the mail server got: all that was sent, once, but for notices that are in doubt, and for what was under way where a
 * worker was interrupted.
 */
function checkLetters(observed: Observed): Anomaly[] {
  const { mails, letters } = observed;
  const { left } = observed.interruptions;
  const known = new Map(mails.map((mail) => [mail.id, mail]));
  const countOf = ({ id }: Mail): number => letters.get(id) ?? 0;
  const again = [...letters].reduce((sum, [id, count]) => {
    const mail = known.get(id);
    return sum + Math.max(0, count - 1 - (mail === undefined ? 0 : mayComeAgain(mail)));
  }, 0);
  return [
    ...ofNotices(observed)
      .filter((mail) => mail.status === 'sent' && countOf(mail) === 0)
      .map(({ id }): Anomaly => ({ kind: 'lost', what: `the mail ${id} is sent, and never came to the mail server` })),
    ...mails
      .filter((mail) => countOf(mail) > Math.min(mail.attempts, 1 + mayComeAgain(mail) + left))
      .map((mail): Anomaly => ({
        kind: 'duplicated',
        what: `the mail ${mail.id} came ${countOf(mail)} times, by ${mail.attempts} attempts, where senders were interrupted ${left} times`,
      })),
    ...[...letters.keys()]
      .filter((id) => !known.has(id))
      .map((id): Anomaly => ({
        kind: 'invented',
        what: `the mail ${id} came to the mail server, and is none of ours`,
      })),
    ...(again > left * AT_ONCE
      ? [
          {
            kind: 'duplicated',
            what: `${again} mails came once more, where senders were interrupted ${left} times`,
          } as const,
        ]
      : []),
  ];
}

/** What became of notices. */
export function checkMails(observed: Observed): Anomaly[] {
  return [...checkEnds(observed), ...checkDoubts(observed), ...checkLetters(observed)];
}
