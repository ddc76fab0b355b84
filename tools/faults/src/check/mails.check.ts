import { byKey } from './by-key.js';
import type { Anomaly, Mail, Observed } from './observed.js';

/** Mails that a worker sends at the same time: so many may go twice where it is interrupted. */
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

/** A notice that is in doubt may come once more; a mailing may not. */
const mayComeAgain = ({ isInDoubt, notice }: Mail): number => (isInDoubt && notice !== null ? 1 : 0);

/**
 * What the mail server got: all that was sent, once, but for notices that are in doubt, and for what was under way where a
 * worker was interrupted.
 */
function checkLetters({ notices, mails, letters, interruptions }: Observed): Anomaly[] {
  const told = new Set(notices.map(({ notice }) => notice));
  const known = new Map(mails.map((mail) => [mail.id, mail]));
  const countOf = ({ id }: Mail): number => letters.get(id) ?? 0;
  const again = [...letters].reduce((sum, [id, count]) => {
    const mail = known.get(id);
    return sum + Math.max(0, count - 1 - (mail === undefined ? 0 : mayComeAgain(mail)));
  }, 0);
  return [
    ...mails
      .filter((mail) => mail.status === 'sent' && told.has(mail.notice ?? '') && countOf(mail) === 0)
      .map(({ id }): Anomaly => ({ kind: 'lost', what: `the mail ${id} is sent, and never came to the mail server` })),
    ...mails
      .filter((mail) => countOf(mail) > Math.min(mail.attempts, 1 + mayComeAgain(mail) + interruptions))
      .map((mail): Anomaly => ({
        kind: 'duplicated',
        what: `the mail ${mail.id} came ${countOf(mail)} times, by ${mail.attempts} attempts, where senders were interrupted ${interruptions} times`,
      })),
    ...[...letters.keys()]
      .filter((id) => !known.has(id))
      .map((id): Anomaly => ({
        kind: 'invented',
        what: `the mail ${id} came to the mail server, and is none of ours`,
      })),
    ...(again > interruptions * AT_ONCE
      ? [
          {
            kind: 'duplicated',
            what: `${again} mails came once more, where senders were interrupted ${interruptions} times`,
          } as const,
        ]
      : []),
  ];
}

/** What became of notices. */
export function checkMails(observed: Observed): Anomaly[] {
  return [...checkEnds(observed), ...checkLetters(observed)];
}
