import { eventually } from '@castiron/testing';
import { describe, expect, it } from 'vitest';
import { Castiron } from '../support/castiron.js';

const castiron = new Castiron();

interface Mail {
  readonly subject: string;
  readonly text: string;
}

async function mailsTo(address: string): Promise<Mail[]> {
  const response = await fetch(castiron.endpoints.mail.api);
  const mails = (await response.json()) as { to?: { address: string }[]; subject: string; text?: string }[];
  return mails
    .filter((mail) => mail.to?.some((to) => to.address === address))
    .map(({ subject, text }) => ({ subject, text: text ?? '' }));
}

const within = { within: 30_000 };

describe('mail to the customer', () => {
  it('welcomes, tells with whom data is shared, and tells when that ended', async () => {
    const email = `flow-${Date.now()}@acorn.example`;
    const customer = await castiron.registerCompany({ email });
    await eventually(async () => expect(await mailsTo(email)).toHaveLength(1), within);
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
    await castiron.permit(customer, partner.slug, 'recommendation');
    await eventually(async () => expect(await mailsTo(email)).toHaveLength(2), within);
    await castiron.revoke(customer, partner.slug, 'recommendation');
    await eventually(async () => expect(await mailsTo(email)).toHaveLength(3), within);

    const [, started, ended] = await mailsTo(email);
    expect(started?.subject).toMatch(/shared/i);
    expect(started?.text).toContain(`Partner ${partner.slug}`);
    expect(ended?.subject).toMatch(/ended/i);
    expect(ended?.text).toContain(`Partner ${partner.slug}`);
  });

  it('stops mailings, and not notices, by the link in a mailing', async () => {
    const email = `reader-${Date.now()}@acorn.example`;
    const reader = await castiron.register('subscription', { email });
    const send = async (subject: string) => {
      const answer = await castiron.call('notifications', 'POST', '/mailings', {
        as: ['privacy-officer', 'officer'],
        body: { subject, text: 'News about our products.' },
      });
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    };
    await eventually(async () => {
      const read = await castiron.call('partner-sharing', 'GET', `/customers/${reader}/holdings`, {
        as: ['customer', reader],
      });
      expect(JSON.stringify(read.body)).toContain('mailing');
    }, within);
    await eventually(async () => expect(await mailsTo(email)).toHaveLength(1), within);
    await send('The first news');
    await eventually(
      async () => expect((await mailsTo(email)).map((mail) => mail.subject)).toContain('The first news'),
      within,
    );

    const mailing = (await mailsTo(email)).find((mail) => mail.subject === 'The first news');
    const link = /https?:\/\/\S+\/cancellations\/[^\s>]+/.exec(mailing?.text ?? '')?.[0] ?? '';
    expect((await fetch(link)).status).toBe(200);
    expect((await fetch(link, { method: 'POST' })).status).toBe(200);
    await send('The second news');

    // A third reader's mail shows that the second mailing has gone out.
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'mailing', attributes: ['email'] }]);
    await castiron.permit(reader, partner.slug, 'mailing');
    await eventually(
      async () => expect((await mailsTo(email)).some((mail) => /shared/i.test(mail.subject))).toBe(true),
      within,
    );
    expect((await mailsTo(email)).map((mail) => mail.subject)).not.toContain('The second news');
  });
});
