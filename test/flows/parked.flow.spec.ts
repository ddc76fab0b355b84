import {
  encodeEvent,
  newEventId,
  topicsOfRecipient,
  typeOf,
  withdrawalConfirmed,
  withdrawalDue,
  type DataOf,
  type WireMessage,
} from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { Castiron, COMPANY, type Partner } from '../support/castiron.js';
import { AT_A_TERMINAL, parkedCommand } from '../support/parked-command.js';

const castiron = new Castiron();
const officer = ['privacy-officer', 'officer'] as const;
const within = { within: 30_000 };
const parked = async (...args: string[]): Promise<string> => (await parkedCommand(castiron, ...args)).stdout;
const MARK = 'a mark that nobody may see';

interface Listed {
  readonly id: string;
  readonly reason: string;
}

async function parkedOf(topic: string, state = 'parked'): Promise<Listed[]> {
  const path = `/parked-messages?topic=${topic}&state=${state}`;
  const { status, body } = await castiron.call('partner-sharing', 'GET', path, { as: officer });
  expect(status).toBe(200);
  return body['messages'] as Listed[];
}

const post = (path: string, body: object) =>
  castiron.call('partner-sharing', 'POST', `/parked-messages/${path}`, { as: officer, body });

async function send(partner: Partner, messages: readonly WireMessage[]): Promise<void> {
  const producer = castiron.kafka(partner).producer();
  await producer.send(messages);
  await producer.close();
}

/** A confirmation of an obligation that nobody has, so that it is poison whenever it is tried. */
const confirmation = (partner: Partner): WireMessage =>
  encodeEvent(withdrawalConfirmed, withdrawalConfirmed.example, { id: newEventId(), time: new Date() }, partner.slug);

describe('what a partner sends and nobody can handle', () => {
  let partner: Partner;
  let topic: string;
  beforeAll(async () => {
    partner = await castiron.registerPartner();
    topic = topicsOfRecipient(partner.slug).replies.name;
  });

  it('is listed, tried, given up and recorded, by HTTP and from the command line, and keeps nobody up', async () => {
    await send(partner, [
      confirmation(partner),
      { ...confirmation(partner), value: `{"who":"${MARK}"` },
      { ...confirmation(partner), headers: { ...confirmation(partner).headers, ce_type: MARK } },
    ]);
    await eventually(async () => {
      const reasons = (await parkedOf(topic)).map(({ reason }) => reason);
      expect(reasons.sort()).toEqual(['bad-json', 'foreign-or-unknown-obligation', 'unknown-type']);
    }, within);

    const listed = await parkedOf(topic);
    const idOf = (reason: string) => listed.find((message) => message.reason === reason)?.id ?? '';
    const shown = await castiron.call('partner-sharing', 'GET', `/parked-messages/${idOf('bad-json')}`, {
      as: officer,
    });
    expect(shown).toMatchObject({ status: 200, body: { reason: 'bad-json', content: { value: { kind: 'text' } } } });
    expect(JSON.stringify([listed, shown.body])).not.toContain(MARK);

    const dry = await post('replays', { topic });
    expect(dry.body).toMatchObject({ dryRun: true });
    const outcomes = dry.body['messages'] as { outcome: string; because: string }[];
    expect(outcomes.map(({ outcome, because }) => [outcome, because]).sort()).toEqual([
      ['still-parked', 'bad-json'],
      ['still-parked', 'foreign-or-unknown-obligation'],
      ['still-parked', 'unknown-type'],
    ]);
    expect((await post('replays', { ids: [idOf('bad-json')], dryRun: false })).body).toMatchObject({
      messages: [{ outcome: 'still-parked', because: 'bad-json' }],
    });

    expect(await parked('causes')).toContain(topic);
    const why = 'the partner tested against us';
    const discard = ['discard', '--service', 'partner-sharing', '--topic', topic, '--why', why];
    expect(await parked(...discard)).toContain('3 would be discarded');
    expect((await post('discards', { topic, why })).body).toMatchObject({ dryRun: true });
    expect(await parkedOf(topic)).toHaveLength(3);
    expect(await parked(...discard, '--yes')).toContain('3 discarded');
    expect(await parkedOf(topic)).toEqual([]);
    expect(await parkedOf(topic, 'discarded')).toHaveLength(3);

    const record = await parked('actions', idOf('bad-json'), '--service', 'partner-sharing');
    const [, ...acts] = record.trim().split('\n');
    expect(acts.map((line) => /(shown|replay-failed|discarded) +(\S+) +(.*)$/.exec(line)?.slice(1))).toEqual([
      ['shown', 'officer', '-'],
      ['replay-failed', 'officer', 'bad-json'],
      ['discarded', AT_A_TERMINAL, why],
    ]);
  });

  it('holds up no reply of it that can be handled', async () => {
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
    const customer = await castiron.registerCompany();
    await castiron.permit(customer, partner.slug, 'recommendation');
    const [first] = await partner.readUntil((messages) => expect(messages).toHaveLength(1));
    expect(first?.record?.attributes).toMatchObject({ companyName: { value: COMPANY.companyName } });
    await send(partner, [{ ...confirmation(partner), key: first?.subject ?? '', value: 'no JSON' }]);
    await eventually(async () => expect(await parkedOf(topic)).toHaveLength(1), within);
    await castiron.revoke(customer, partner.slug, 'recommendation');
    const duties = castiron.kafka(partner).read(topicsOfRecipient(partner.slug).duties.name, {
      groupId: `${partner.slug}.flow`,
      // It may come a moment after the revocation's answer.
      follow: true,
    });
    for await (const duty of duties) {
      if (typeOf(duty) !== withdrawalDue.type) continue;
      const due = JSON.parse(duty.value?.toString() ?? '{}') as DataOf<typeof withdrawalDue>;
      const { obligation, subject, version } = due;
      const data = { obligation, subject, version, at: new Date().toISOString() };
      await send(partner, [
        encodeEvent(withdrawalConfirmed, data, { id: newEventId(), time: new Date() }, partner.slug),
      ]);
      break;
    }
    // Everything was deleted and confirmed: the feed's key goes too.
    await partner.readUntil((messages) => expect(messages.at(-1)?.record).toBeNull());
  });

  it('is nobody else’s to see or to touch', async () => {
    for (const as of [
      ['partner', partner.slug],
      ['customer', newEventId()],
      ['support', 'anna'],
      ['service', 'portal'],
    ] as const) {
      expect((await castiron.call('partner-sharing', 'GET', '/parked-messages', { as })).status).toBe(403);
      const body = { topic, why: 'none of their business' };
      expect((await castiron.call('partner-sharing', 'POST', '/parked-messages/discards', { as, body })).status).toBe(
        403,
      );
    }
  });
});
