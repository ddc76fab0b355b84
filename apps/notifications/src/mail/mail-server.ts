import { createTransport, type Transporter } from 'nodemailer';

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

/** A stalled server is given up after this, at each step. */
const STEP_TIMEOUT_MS = 8_000;

/** What the server may refuse about the mail; a refusal elsewhere (greeting, log-in) is about us and may pass. */
const ABOUT_THE_MAIL = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);

const BREAKS_A_HEADER = /[\r\n\u0000]/;

/** Sends mail over SMTP. */
export class MailServer {
  private readonly transport: Transporter;

  constructor(smtpUrl: string) {
    this.transport = createTransport({
      url: smtpUrl,
      disableFileAccess: true,
      disableUrlAccess: true,
      connectionTimeout: STEP_TIMEOUT_MS,
      greetingTimeout: STEP_TIMEOUT_MS,
      socketTimeout: STEP_TIMEOUT_MS,
      dnsTimeout: STEP_TIMEOUT_MS,
    });
  }

  /**
   * Hands one mail to the server. When the signal ends it, the connection is closed and nobody knows whether the mail
   * was taken.
   * @throws RefusedMail where trying again is of no use
   */
  async send(mail: OutgoingMail, signal: AbortSignal): Promise<void> {
    for (const line of [mail.messageId, mail.from, mail.to, mail.subject, mail.oneClickLink ?? '']) {
      if (BREAKS_A_HEADER.test(line)) throw new TypeError('a line of a mail holds a line break');
    }
    try {
      await this.transport.sendMail({
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
      if (typeof responseCode === 'number' && responseCode >= 500 && ABOUT_THE_MAIL.has(String(command))) {
        throw new RefusedMail(responseCode);
      }
      throw error;
    }
  }

  close(): void {
    this.transport.close();
  }
}
