import { afterRecord, feedRecord, NOTHING_HELD, type HeldCopy } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { composeMail, type MailFacts } from './mail-text.js';

const notices = [{ purpose: 'notices' as const, ground: 'own-purpose' as const }];
const copyWith = (companyName: string): HeldCopy =>
  afterRecord(NOTHING_HELD, {
    ...feedRecord.example,
    attributes: { companyName: { value: companyName, purposes: notices, opening: 'AA' } },
  }) ?? NOTHING_HELD;

const facts = (rest: Partial<MailFacts>): MailFacts => ({
  kind: 'welcome',
  copy: copyWith('Example Ltd'),
  cancellationLink: 'https://x.example/cancellations/t',
  contact: 'privacy@x.example',
  ...rest,
});

describe('a mail', () => {
  it('names the company that data is shared with', () => {
    const mail = composeMail(facts({ kind: 'sharing-started', about: 'Northern Hosting' }));
    expect(mail.subject).toBe('Your data is now shared with Northern Hosting');
    expect(mail.text).toContain('Dear Example Ltd,');
  });

  it('says that sharing has ended', () => {
    expect(composeMail(facts({ kind: 'sharing-ended', about: 'Northern Hosting' })).subject).toBe(
      'Sharing with Northern Hosting has ended',
    );
  });

  it.each(['welcome', 'sharing-started', 'sharing-ended'] as const)(
    'of kind %s has a contact (P18) and a way to stop mailings',
    (kind) => {
      const { text } = composeMail(facts({ kind }));
      expect(text).toContain('privacy@x.example');
      expect(text).toContain('https://x.example/cancellations/t');
    },
  );

  it('takes no line break from a name into its title or greeting', () => {
    const mail = composeMail(
      facts({ kind: 'sharing-started', about: 'A\r\nBcc: x@y', copy: copyWith('B\u2028C\u0000\nD') }),
    );
    expect(mail.subject).toBe('Your data is now shared with A Bcc: x@y');
    expect(mail.text).toContain('Dear B C D,');
  });

  it('uses a name only for the purpose it was given for (P8)', () => {
    const mail = composeMail(facts({ kind: 'mailing', mailing: { subject: 'News', text: 'Words' } }));
    expect(mail.text).toContain('Dear customer,');
    expect(mail.text).not.toContain('Example Ltd');
  });
});
