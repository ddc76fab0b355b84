import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';

/** One mail as it leaves. Everything in it is one line but `text`. */
export interface OutgoingMail {
  /** The same for every try of one mail: a mailbox can tell a duplicate. */
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly date: Date;
  /** Sets the headers of RFC 8058, for mailings. */
  readonly oneClickLink?: string;
}

/** The mail server refuses this mail for good (an answer of 5xx to the mail itself). */
export class RefusedMail extends Error {
  override readonly name = 'RefusedMail';

  constructor(readonly code: number) {
    super(`the mail server refused with ${code}`);
  }
}

/**
 * The server has the whole mail, and neither took nor refused it within our time. It may deliver it all the same (RFC 1047),
 * so sending it again may double it.
 */
export class UnansweredMail extends Error {
  override readonly name = 'UnansweredMail';

  constructor(cause: unknown) {
    super('the mail server has the mail and did not answer', { cause });
  }
}

/** A server that does not even greet is given up after this. */
const GREETING_TIMEOUT_MS = 8_000;

/** Silence of a server afterwards. Longer than a caller waits, whose signal ends it. */
const SILENCE_TIMEOUT_MS = 60_000;

/** What the server may refuse about the mail; a refusal elsewhere (greeting, log-in) is about us and may pass. */
const ABOUT_THE_MAIL = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);

const BREAKS_A_HEADER = /[\r\n\u0000]/;

async function* untilItsEnd(body: Readable, ended: () => void): AsyncGenerator {
  yield* body;
  ended();
}

/** Sends mail over SMTP. */
export class MailServer {
  constructor(private readonly smtpUrl: string) {}

  /**
   * Hands one mail to the server, until the signal ends it.
   * @throws RefusedMail where trying again is of no use
   * @throws UnansweredMail where nobody knows whether the server took it
   */
  async send(mail: OutgoingMail, signal: AbortSignal): Promise<void> {
    for (const line of [mail.messageId, mail.from, mail.to, mail.subject, mail.oneClickLink ?? '']) {
      if (BREAKS_A_HEADER.test(line)) throw new TypeError('a line of a mail holds a line break');
    }
    let isHandedOver = false;
    const transport = this.transport().use('stream', ({ message }, done) => {
      // The last of the streams is read once the server asks for the mail; those before it are emptied long before that.
      // It ends before the dot is written that ends the mail: no server has the whole of it unnoticed.
      message.processFunc((body) => Readable.from(untilItsEnd(body, () => (isHandedOver = true))));
      done();
    });
    try {
      await transport.sendMail({
        signal,
        messageId: mail.messageId,
        date: mail.date,
        from: { name: '', address: mail.from },
        to: { name: '', address: mail.to },
        envelope: { from: mail.from, to: [mail.to] },
        subject: mail.subject,
        text: mail.text.replaceAll('\u0000', ''),
        disableFileAccess: true,
        disableUrlAccess: true,
        headers: {
          'Auto-Submitted': 'auto-generated',
          ...(mail.oneClickLink !== undefined && {
            'List-Unsubscribe': { prepared: true, value: `<${mail.oneClickLink}>` },
            'List-Unsubscribe-Post': { prepared: true, value: 'List-Unsubscribe=One-Click' },
          }),
        },
      });
    } catch (error) {
      const { responseCode, command } = error as { responseCode?: unknown; command?: unknown };
      const refusal = typeof responseCode === 'number' && responseCode >= 400 ? responseCode : undefined;
      if (refusal !== undefined && refusal >= 500 && ABOUT_THE_MAIL.has(String(command))) {
        throw new RefusedMail(refusal);
      }
      throw isHandedOver && refusal === undefined ? new UnansweredMail(error) : error;
    }
  }

  /** One for each mail, as is its connection. */
  private transport() {
    return createTransport({
      url: this.smtpUrl,
      disableFileAccess: true,
      disableUrlAccess: true,
      connectionTimeout: GREETING_TIMEOUT_MS,
      greetingTimeout: GREETING_TIMEOUT_MS,
      dnsTimeout: GREETING_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
      // What a signal has ended is not written on for 5 s more; what the kernel has already may still go.
      socketCloseTimeout: 0,
    });
  }
}
