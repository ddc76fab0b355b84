import { usableValue, type HeldCopy } from '@castiron/contracts';
import type { MailKind } from './mail.table.js';

/** What goes to the mail server, but for addresses. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
}

export interface MailFacts {
  readonly kind: MailKind;
  /** The public name of the other recipient, for notices about sharing. */
  readonly about?: string | undefined;
  /** A mailing's own words. */
  readonly mailing?: MailText | undefined;
  readonly copy: HeldCopy;
  /** Stops mailings; the same for every mail to this subject. */
  readonly cancellationLink: string;
  /** Whom to ask (P18). */
  readonly contact: string;
}

/** Names and titles are one line: no value can add a header or a paragraph that looks like ours. */
function oneLine(value: string): string {
  return value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}

/** The purpose that a mail of this kind uses data for. */
export function purposeOf(kind: MailKind): 'notices' | 'mailing' {
  return kind === 'mailing' ? 'mailing' : 'notices';
}

function greeting({ copy, kind }: MailFacts): string {
  const purpose = purposeOf(kind);
  const name = usableValue(copy, 'contactName', purpose) ?? usableValue(copy, 'companyName', purpose);
  return name === undefined ? 'Dear customer,' : `Dear ${oneLine(name)},`;
}

function words(facts: MailFacts): MailText {
  const about = oneLine(facts.about ?? 'another company');
  switch (facts.kind) {
    case 'welcome':
      return {
        subject: 'Welcome',
        text:
          'Thank you for registering with us. We use your data only as our privacy statement says, and share it only with ' +
          'companies that you permitted and that signed our Agreement of confidentiality.',
      };
    case 'sharing-started':
      return {
        subject: `Your data is now shared with ${about}`,
        text:
          `From now on ${about} receives those of your data that you permitted, for the purposes that you permitted, and ` +
          'nothing else. You can see what they hold, and end this, at any time.',
      };
    case 'sharing-ended':
      return {
        subject: `Sharing with ${about} has ended`,
        text: `${about} receives no more of your data, and was told to delete what it holds. It must confirm that to us.`,
      };
    case 'mailing':
      if (facts.mailing === undefined) throw new Error('a mailing has its own words');
      return facts.mailing;
  }
}

/** Composes a mail. Plain text only, so that nothing in it is markup. */
export function composeMail(facts: MailFacts): MailText {
  const { subject, text } = words(facts);
  const footer =
    facts.kind === 'mailing'
      ? `You get this because you permitted us to write to you about products and events. To stop it:\n${facts.cancellationLink}`
      : `This is a notice that we owe you. To stop e-mail about products and events, from us and our partners:\n${facts.cancellationLink}`;
  return {
    subject: oneLine(subject),
    text: [greeting(facts), text, `Questions about your data: ${facts.contact}`, footer].join('\n\n') + '\n',
  };
}
