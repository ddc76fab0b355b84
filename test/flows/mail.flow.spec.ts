import { eventually } from '@castiron/testing';
import { describe, expect, it } from 'vitest';
import { Castiron } from '../support/castiron.js';
import { mailsTo as mailsOf } from '../support/mails.js';

const castiron = new Castiron();

const mailsTo = (address: string) => mailsOf(castiron, address);
const subjectsTo = async (address: string) => (await mailsTo(address)).map(({ subject }) => subject);

const within = { within: 30_000 };
const officer = ['privacy-officer', 'officer'] as const;

/** Orders a mailing and waits until none of its mails is on its way. */
async function sendToAll(subject: string): Promise<void> {
  const ordered = await castiron.call('notifications', 'POST', '/mailings', {
    as: officer,
    body: { subject, text: 'News about our products.' },
  });
  expect(ordered).toMatchObject({ status: 201 });
  await eventually(async () => {
    const path = `/mailings/${String(ordered.body['mailing'])}`;
    const { body } = await castiron.call('notifications', 'GET', path, { as: officer });
    expect(body).toMatchObject({ mails: { sent: expect.any(Number) as number } });
    expect(body['writtenAt']).not.toBeNull();
    expect(body['mails']).not.toHaveProperty('queued');
    expect(body['mails']).not.toHaveProperty('sending');
  }, within);
}

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

    const [welcome, started, ended] = await mailsTo(email);
    expect(welcome?.subject).toMatch(/welcome/i);
    expect(started?.subject).toMatch(/shared/i);
    expect(started?.text).toContain(`Partner ${partner.slug}`);
    expect(ended?.subject).toMatch(/ended/i);
    expect(ended?.text).toContain(`Partner ${partner.slug}`);
  });

  it('stops mailings, and not notices, by the link in a mailing', async () => {
    const email = `reader-${Date.now()}@acorn.example`;
    const reader = await castiron.register('subscription', { email });
    const others = `other-${email}`;
    await castiron.register('subscription', { email: others });
    // Both are known to the service that mails.
    for (const address of [email, others])
      await eventually(async () => expect(await subjectsTo(address)).toHaveLength(1), within);
    await sendToAll('The first news');
    expect(await subjectsTo(email)).toContain('The first news');

    const mailing = (await mailsTo(email)).find((mail) => mail.subject === 'The first news');
    const link = /https?:\/\/\S+\/cancellations\/[^\s>]+/.exec(mailing?.text ?? '')?.[0] ?? '';
    expect((await fetch(link)).status).toBe(200);
    expect((await fetch(link, { method: 'POST' })).status).toBe(200);
    await sendToAll('The second news');
    expect(await subjectsTo(others)).toContain('The second news');
    expect(await subjectsTo(email)).not.toContain('The second news');

    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'mailing', attributes: ['email'] }]);
    await castiron.permit(reader, partner.slug, 'mailing');
    await eventually(
      async () => expect(await subjectsTo(email)).toContainEqual(expect.stringMatching(/shared/i)),
      within,
    );
  });
});
