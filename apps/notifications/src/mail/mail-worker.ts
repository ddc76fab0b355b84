import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { usableValue } from '@castiron/contracts';
import type { Logger, Metrics } from '@castiron/observability';
import type { DataSource } from 'typeorm';
import type { CancellationLinks } from '../cancellations/cancellation-links.js';
import { isCancelled } from '../cancellations/cancellation.table.js';
import { wordsOfMailing } from '../mailings/mailing.table.js';
import type { SubjectVault } from '../subjects/subject-vault.js';
import { isMailAddress } from './mail-address.js';
import { RefusedMail, UnansweredMail, type MailServer, type OutgoingMail } from './mail-server.js';
import { composeMail, purposeOf } from './mail-text.js';
import { claimMails, expireWaiting, putBack, settleMail, type ClaimedMail, type MailStatus } from './mail.table.js';
import { nextTryAfter, nextTryInDoubt } from './retry.js';

/**
 * What is still under way then is cut off. Whoever cancels waits for a mailing; nobody does for a notice, and a server that
 * has one may take its time (RFC 5321 4.5.3.2.6): as long as the claim holds.
 */
export const SEND_DEADLINE_S = { mailing: 15, notices: 50 };

/** From the claim on: nothing of a mailing can leave any more. Whoever cancels waits this long at most. */
export const SURELY_OVER_S = SEND_DEADLINE_S.mailing + 2;

/**
 * A service that stops has less time than a send: 9 s, of which requests may have had 4 before, so that 2.5 are left for all
 * else. What is cut off then goes again under its Message-ID, or is in doubt.
 */
const STOP_GRACE_MS = 2_500;

/** After this a claim is free again: its worker died, and its mails go once more, each under the same Message-ID. */
export const LEASE_S = 60;

/** So many may go twice where their worker is killed. */
export const MAILS_AT_ONCE = 5;

/** From one try to write down what became of a mail to the next. */
const NOTE_AGAIN_MS = 250;

/** Finds what was put back, and what other processes wrote. */
const POLL_MS = 1_000;

export interface MailWorkerOptions {
  readonly dataSource: DataSource;
  readonly vault: SubjectVault;
  readonly server: MailServer;
  readonly links: CancellationLinks;
  readonly from: string;
  readonly contact: string;
  /** Seconds until a notice ends whose subject the feed does not name. */
  readonly noticeWaitS: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Mails that were claimed together. */
interface Claim {
  readonly id: string;
  /** Another may have them from then on. */
  readonly until: number;
  /** Each ends what is still under way of its kind. */
  readonly signals: Readonly<Record<'mailing' | 'notices', AbortSignal>>;
}

interface Outcome {
  readonly status: Extract<MailStatus, 'sent' | 'no-address' | 'cancelled' | 'failed' | 'in-doubt'>;
  readonly reason?: string;
}

/**
 * Sends what the mail table holds. A mail is claimed and the claim committed before anything is sent; SMTP knows no
 * exactly-once, so a process that is killed leaves those of its claim to be sent twice, each with one Message-ID, whose answers
 * had come and were not committed. So does an answer that never came: of a notice, and only once; then it ends `in-doubt`.
 */
export class MailWorker {
  private readonly sent;
  private running: Promise<void> = Promise.resolve();
  private wanted = false;
  private stopped = true;
  private timer: NodeJS.Timeout | undefined;
  private readonly cutOff = new AbortController();

  constructor(private readonly options: MailWorkerOptions) {
    this.sent = options.metrics.counter('castiron_mails_total', 'Mails that came to an end, or were put back', [
      'outcome',
    ]);
  }

  start(): Promise<void> {
    this.stopped = false;
    this.timer = setInterval(this.wake, POLL_MS);
    this.timer.unref();
    this.wake();
    return Promise.resolve();
  }

  /** Lets what is being sent come to its end. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    const grace = setTimeout(() => this.cutOff.abort(), STOP_GRACE_MS);
    await this.running;
    clearTimeout(grace);
  }

  /** There may be something to send. */
  readonly wake = (): void => {
    if (this.wanted || this.stopped) return;
    this.wanted = true;
    this.running = this.running.then(() => this.work());
  };

  private async work(): Promise<void> {
    this.wanted = false;
    try {
      await this.expire();
      while (!this.stopped && (await this.sendSome()) === MAILS_AT_ONCE);
    } catch (error) {
      // The database is away, or a mail is a bug of ours; the poll tries again, and the log says so.
      this.options.logger.error({ err: error }, 'the mail worker could not go on');
    }
  }

  private async expire(): Promise<void> {
    const expired = await expireWaiting(this.options.dataSource.manager, this.options.noticeWaitS);
    if (expired === 0) return;
    this.sent.inc({ outcome: 'expired' }, expired);
    this.options.logger.error({ expired }, 'notices were given up: no feed record of their subjects came');
  }

  private async sendSome(): Promise<number> {
    const claim: Claim = {
      id: randomUUID(),
      // Begun before the claim: whoever cancels counts from the claim, and nothing may leave after that.
      until: Date.now() + LEASE_S * 1_000,
      signals: { mailing: this.endAfter(SEND_DEADLINE_S.mailing), notices: this.endAfter(SEND_DEADLINE_S.notices) },
    };
    const { manager } = this.options.dataSource;
    const mails = await claimMails(manager, { claim: claim.id, limit: MAILS_AT_ONCE, leaseS: LEASE_S });
    if (mails.length === 0) return 0;
    const results = await Promise.allSettled(mails.map((mail) => this.carryOut(mail, claim)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return mails.length;
  }

  private endAfter(seconds: number): AbortSignal {
    return AbortSignal.any([this.cutOff.signal, AbortSignal.timeout(seconds * 1_000)]);
  }

  private async carryOut(mail: ClaimedMail, claim: Claim): Promise<void> {
    const { manager } = this.options.dataSource;
    const claimed = { id: mail.id, claim: claim.id };
    let outcome: Outcome;
    try {
      outcome = await this.trySend(mail, claim.signals[purposeOf(mail.kind)]);
    } catch (error) {
      // Once in doubt it stays so, whatever becomes of later tries.
      const isInDoubt = mail.isInDoubt || error instanceof UnansweredMail;
      const said = { mail: mail.id, attempts: mail.attempts, reason: reasonOf(error), isInDoubt };
      const afterS = nextTry(mail, error);
      if (afterS !== undefined) {
        this.options.logger.warn(said, 'a mail could not leave and will be tried again');
        this.sent.inc({ outcome: 'put-back' });
        return this.note(claim, () => putBack(manager, { ...claimed, isInDoubt }, afterS, said.reason));
      }
      this.options.logger.error(said, 'a mail was given up');
      outcome = { status: isInDoubt ? 'in-doubt' : 'failed', reason: said.reason };
    }
    this.sent.inc({ outcome: outcome.status });
    await this.note(claim, () => settleMail(manager, claimed, outcome.status, outcome.reason));
  }

  /** As long as the mail is ours: a database that is away for a moment must not have what was sent go once more. */
  private async note(claim: Claim, write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (this.cutOff.signal.aborted || Date.now() >= claim.until) throw error;
        await pause(NOTE_AGAIN_MS);
      }
    }
  }

  private async trySend(mail: ClaimedMail, signal: AbortSignal): Promise<Outcome> {
    const { dataSource, vault, server } = this.options;
    const copy = await vault.load(dataSource.manager, mail.subject);
    const address = usableValue(copy, 'email', purposeOf(mail.kind));
    if (mail.kind === 'mailing') {
      // Read after the claim was committed: a cancellation that this does not see yet sees the claim, and waits for it.
      if (copy.mailing !== 'allowed' || (await isCancelled(dataSource.manager, mail.subject)))
        return { status: 'cancelled' };
    }
    if (!isMailAddress(address)) return { status: 'no-address' };
    const outgoing = await this.compose(mail, copy, address);
    signal.throwIfAborted();
    await server.send(outgoing, signal);
    return { status: 'sent' };
  }

  private async compose(
    mail: ClaimedMail,
    copy: Parameters<typeof composeMail>[0]['copy'],
    to: string,
  ): Promise<OutgoingMail> {
    const { dataSource, links, from, contact } = this.options;
    const cancellationLink = links.linkOf(mail.subject);
    const mailing = mail.mailing === null ? undefined : await wordsOfMailing(dataSource.manager, mail.mailing);
    const text = composeMail({
      kind: mail.kind,
      about: mail.about ?? undefined,
      mailing,
      copy,
      cancellationLink,
      contact,
    });
    return {
      ...text,
      to,
      from,
      date: mail.createdAt,
      messageId: `<${mail.id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
      ...(mail.kind === 'mailing' && { oneClickLink: cancellationLink }),
    };
  }
}

function nextTry(mail: ClaimedMail, error: unknown): number | undefined {
  if (error instanceof RefusedMail) return undefined;
  return error instanceof UnansweredMail ? nextTryInDoubt(mail) : nextTryAfter(mail, new Date());
}

/** In one word: a mail server's answer may repeat the address. */
function reasonOf(error: unknown): string {
  if (error instanceof RefusedMail) return `smtp-${error.code}`;
  if (error instanceof UnansweredMail) return 'no-answer';
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code)) return code;
  return typeof name === 'string' ? name : 'unknown';
}
