import {
  httpSettings,
  messagingSettings,
  parseSettings,
  text,
  url,
  wholeNumber,
  type SettingsOf,
} from '@castiron/service';

/** One address and nothing else: no line breaks, no list, no comment. */
const ADDRESS = /^[^\s<>()[\],;:\\"@]{1,64}@[A-Za-z0-9.-]{1,253}$/;

const specification = {
  ...httpSettings('notifications'),
  ...messagingSettings,
  /** The mail server. May carry a user and a password. */
  smtpUrl: url('SMTP_URL', ['smtp:', 'smtps:'], { secret: true }),
  /** Where cancellation links lead: this service as the outside sees it. Mailboxes want https there (RFC 8058). */
  publicUrl: url('PUBLIC_URL', ['http:', 'https:']),
  mailFrom: text('MAIL_FROM', { fallback: 'notices@castiron.example', pattern: ADDRESS }),
  /** Whom to ask about the statement (P18); named in every mail. */
  mailContact: text('MAIL_CONTACT', { fallback: 'privacy@castiron.example', pattern: ADDRESS }),
  /** How long a notice waits for the first feed record of its subject. Then it ends as `expired`: the news is old. */
  noticeWaitHours: wholeNumber('NOTICE_WAIT_HOURS', { fallback: 96, min: 1, max: 720 }),
};

export type NotificationsSettings = SettingsOf<typeof specification>;

/** The only place that reads the environment. Throws an error that names every bad setting, and shows no secret. */
export function readSettings(env: Readonly<Record<string, string | undefined>> = process.env): NotificationsSettings {
  return parseSettings(env, specification);
}
