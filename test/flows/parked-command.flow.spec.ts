import { randomUUID } from 'node:crypto';
import { duties, encodeEvent, newEventId, noticeDue, type WireMessage } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { Castiron } from '../support/castiron.js';
import { mailsTo } from '../support/mails.js';
import { AT_A_TERMINAL, parkedCommand, type Said } from '../support/parked-command.js';
import { lastOnOwnFeed } from '../support/records.js';

const castiron = new Castiron();
const within = { within: 30_000 };
const topic = duties.of('notifications').name;
const email = `parked-${randomUUID()}@acorn.example`;

const parked = (...args: string[]): Promise<Said> => parkedCommand(castiron, ...args);
/** With ids, which are one service's own. */
const here = (...args: string[]): Promise<Said> => parked(...args, '--service', 'notifications');

/** The columns of a table, without its heading. */
const rowsOf = ({ stdout }: Said): string[][] =>
  stdout
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/));

const list = async (...args: string[]): Promise<string[][]> => rowsOf(await here('list', '--topic', topic, ...args));

async function send(...messages: WireMessage[]): Promise<void> {
  const producer = castiron.kafka(castiron.endpoints.kafka.principals['admin']!).producer();
  await producer.send(messages);
  await producer.close();
}

const noticesOf = async (about: string) => (await mailsTo(castiron, email)).filter(({ text }) => text.includes(about));

/** A notice behind a message of the same key of an unknown type. @returns the ids of both where they are parked */
async function parkNotice(subject: string, about: string): Promise<{ broken: string; waiting: string }> {
  const known = new Set((await list()).map(([, id]) => id));
  const data = { notice: randomUUID(), subject, kind: 'sharing-started', about } as const;
  const notice = encodeEvent(noticeDue, data, { id: newEventId(), time: new Date() }, 'notifications');
  await send({ ...notice, headers: { ...notice.headers, ce_type: 'of-a-later-version' } }, notice);
  return eventually(async () => {
    const added = (await list()).filter(([, id]) => !known.has(id));
    expect(added.map(([, , reason]) => reason)).toEqual(['unknown-type', 'behind-parked']);
    return { broken: added[0]?.[1] ?? '', waiting: added[1]?.[1] ?? '' };
  }, within);
}

describe('npm run parked', () => {
  let subject: string;
  beforeAll(async () => {
    await castiron.register('subscription', { email });
    subject = await eventually(async () => {
      expect(await mailsTo(castiron, email)).toHaveLength(1);
      return (await lastOnOwnFeed(castiron))(email)?.subject ?? '';
    }, within);
  });

  it('finds a message, says what a replay would do, and does it when told so', async () => {
    const about = `A Neighbour ${randomUUID()}`;
    const { broken, waiting } = await parkNotice(subject, about);
    const causes = rowsOf(await parked('causes')).map(([service, , ...cause]) => [service, ...cause.slice(0, 3)]);
    expect(causes).toContainEqual(['notifications', 'behind-parked', topic, noticeDue.type]);
    expect(await list('--reason', 'behind-parked')).toContainEqual(expect.arrayContaining([waiting]));
    expect(await list('--reason', 'behind-parked')).not.toContainEqual(expect.arrayContaining([broken]));
    const shown = await here('show', broken);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: broken, topic, reason: 'unknown-type', state: 'parked' });

    // Behind what is parked itself it does not go, and the program's end says so.
    const refused = await here('replay', waiting, '--yes');
    expect(rowsOf({ ...refused, stdout: `\n${refused.stdout}` })).toEqual([
      ['notifications', waiting, topic, 'still-parked', 'behind-parked'],
    ]);
    expect(refused.exitCode).toBe(1);

    const why = 'sent by a test';
    expect((await here('discard', broken, '--why', why)).stdout).toBe(`notifications: 1 discarded (${broken})`);
    const dry = await here('replay', waiting);
    expect(dry.stdout).toMatch(new RegExp(`^notifications  ${waiting} .* handled .*\\n.*dry run. Add --yes`));
    expect(dry.exitCode).toBe(0);
    expect(await list()).toContainEqual(expect.arrayContaining([waiting]));
    expect(await noticesOf(about)).toEqual([]);

    const done = await here('replay', waiting, '--yes');
    expect(done).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('dry run') as string });
    await eventually(async () => expect(await noticesOf(about)).toHaveLength(1), within);
    expect(await list()).not.toContainEqual(expect.arrayContaining([waiting]));
    expect(await list('--state', 'handled')).toContainEqual(expect.arrayContaining([waiting, 'replayed']));

    const acts = async (id: string) => rowsOf(await here('actions', id)).map((row) => row.slice(3));
    expect(await acts(broken)).toEqual([
      ['shown', AT_A_TERMINAL, '-'],
      ['discarded', AT_A_TERMINAL, why],
    ]);
    expect(await acts(waiting)).toContainEqual(['replayed', AT_A_TERMINAL, '-']);
  });

  it('says what is amiss, and changes nothing', async () => {
    for (const [args, word] of [
      [['show', '1'], /say which, with --service/],
      [['replay', '1'], /say which, with --service/],
      [['list', '--after', '1'], /say which, with --service/],
      [['replay', '--service', 'notifications'], /Say which messages/],
      [['discard', '--topic', topic], /--why/],
      [['show', '999999999999', '--service', 'notifications'], /^notifications: /],
      [['causes', '--service', 'nobody'], /No service is called nobody/],
      [['list', '--state', 'lost'], /parked, handled, discarded/],
    ] as const) {
      const said = await parked(...args);
      expect(said.exitCode, args.join(' ')).toBe(1);
      expect(said.stderr, args.join(' ')).toMatch(word);
    }
  });
});
