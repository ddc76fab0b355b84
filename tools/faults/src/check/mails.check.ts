import { REPLICAS } from '../plan/faults.js';
import { byKey } from './by-key.js';
import { customersBy } from './feed-records.js';
import type { Anomaly, Mail, Observed } from './observed.js';
import { writersIn } from './writers.js';

/** Mails that a worker sends at the same time: so many may go twice, be in doubt, or be left to others, where it is interrupted. */
export const AT_ONCE = 5;

/** Each notice became one mail, which came to an end. */
function checkEnds(observed: Observed): Anomaly[] {
  const { operations, notices, mails } = observed;
  const byNotice = new Map(mails.map((mail) => [mail.notice, mail]));
  const customerOf = customersBy(observed);
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
        return withdrawn.has(customerOf(told?.subject ?? ''))
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

/** Nobody is told what no notice asks for, and mails are made in the order in which the notices of a customer were told first. */
function checkMade(observed: Observed): Anomaly[] {
  const customerOf = customersBy(observed);
  const places = new Map(observed.notices.map(({ notice }, place) => [notice, place] as const).reverse());
  const made = observed.mails.filter(({ notice, subject }) => notice !== null && customerOf(subject) !== undefined);
  return [...byKey(made, ({ subject }) => subject)].flatMap(([subject, own]) => {
    let last = -1;
    return own.flatMap(({ id, notice }): Anomaly[] => {
      const what = `the mail ${id} of the notice ${notice} to ${subject}`;
      const place = places.get(notice ?? '');
      if (place === undefined) return [{ kind: 'invented', what: `${what} was made, and nothing asks for it` }];
      const isLate = place < last;
      last = Math.max(last, place);
      return isLate ? [{ kind: 'reordered', what: `${what} was made after that of a later one` }] : [];
    });
  });
}

/**
 * Longer than any transaction is under way, in ms: PostgreSQL ends one that is idle after 30 s, and one statement after 15 s. Until
 * its end others read what was before it.
 */
const COMMITTED_WITHIN_MS = 60_000;

/** Tells whether whoever sends mail had another version of a customer in place of each that has an address, once a mail was made. */
function outdatedIn({ notificationsFeed, trail }: Observed): (mail: Mail, address: string) => boolean {
  const feeds = byKey(notificationsFeed, ({ subject }) => subject);
  const steps = byKey(
    trail.filter(({ place }) => place === 'subjects'),
    ({ key }) => key,
  );
  return ({ subject, createdAt }, address) => {
    const known = (steps.get(subject) ?? []).filter(({ at }) => at < createdAt - COMMITTED_WITHIN_MS);
    const newest = Math.max(0, ...known.map(({ after }) => after));
    const last = feeds.get(subject)?.findLast(({ values }) => values['email'] === address)?.version ?? newest;
    return last < newest;
  };
}

/** A letter goes to an address of its customer: the one that was there when its mail was made, or a later one. */
function checkAddresses(observed: Observed): Anomaly[] {
  const customerOf = customersBy(observed);
  const mayHaveWritten = writersIn(observed);
  const isOutdated = outdatedIn(observed);
  // Of an earlier run it is not known who wrote what.
  return observed.mails
    .filter(({ subject }) => customerOf(subject) !== undefined)
    .flatMap((mail) =>
      (observed.letters.get(mail.id) ?? []).flatMap((address): Anomaly[] => {
        const what = `the mail ${mail.id} to ${mail.subject} went to ${address}`;
        if (!mayHaveWritten(customerOf(mail.subject), 'email', address)) return [{ kind: 'wrong', what }];
        return isOutdated(mail, address)
          ? [{ kind: 'wrong', what: `${what}, in place of which another was known before the mail was made` }]
          : [];
      }),
    );
}

/** A mail is in doubt where its send was cut off, and nowhere else: the mail server answers at once. */
function checkDoubts(observed: Observed): Anomaly[] {
  const { cutOff } = observed.interruptions;
  const inDoubt = ofNotices(observed).filter(({ isInDoubt }) => isInDoubt).length;
  if (inDoubt <= cutOff * AT_ONCE) return [];
  return [{ kind: 'wrong', what: `${inDoubt} mails are in doubt, where sends were cut off ${cutOff} times` }];
}

/**
 * A mail that is in somebody's hands comes to an end later, for which nobody waits: as many as may be, taken in hand as often
 * as it was let fall at most. More are never sent, however often they are claimed.
 */
function checkClaims(observed: Observed): Anomaly[] {
  const { forgot, forgotLately } = observed.interruptions;
  const claimed = ofNotices(observed).filter(({ status, isClaimed }) => status === 'sending' && isClaimed);
  const most = (REPLICAS + forgotLately) * AT_ONCE;
  return [
    ...claimed
      .filter(({ attempts }) => attempts > 1 + forgot)
      .map(({ id, attempts }): Anomaly => ({
        kind: 'stuck',
        what: `the mail ${id} is sending, by ${attempts} attempts, where senders let fall what they had ${forgot} times`,
      })),
    ...(claimed.length > most
      ? [{ kind: 'stuck', what: `${claimed.length} mails are sending, and ${most} may be` } as const]
      : []),
  ];
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
  const countOf = ({ id }: Mail): number => letters.get(id)?.length ?? 0;
  const again = [...letters].reduce((sum, [id, { length }]) => {
    const mail = known.get(id);
    return sum + Math.max(0, length - 1 - (mail === undefined ? 0 : mayComeAgain(mail)));
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
  return [checkEnds, checkMade, checkAddresses, checkDoubts, checkClaims, checkLetters].flatMap((checkOne) =>
    checkOne(observed),
  );
}
