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

/** Where the page before ended, as it says. */
const endOf = ({ stderr }: Said): string => /go on with .*--after (\S+)/.exec(stderr)?.[1] ?? 'nowhere';

/**
 * A notice behind a message of the same key of an unknown type, and behind it events that ask for the same notice.
 * @returns the ids of the first two where they are parked
 */
async function parkNotice(subject: string, about: string, more = 0): Promise<{ broken: string; waiting: string }> {
  const known = new Set((await list()).map(([, id]) => id));
  const data = { notice: randomUUID(), subject, kind: 'sharing-started', about } as const;
  const notice = () => encodeEvent(noticeDue, data, { id: newEventId(), time: new Date() }, 'notifications');
  await send({ ...notice(), headers: { ...notice().headers, ce_type: 'of-a-later-version' } }, notice());
  if (more > 0) await send(...Array.from({ length: more }, notice));
  return eventually(async () => {
    const added = (await list()).filter(([, id]) => !known.has(id));
    expect(added.slice(0, 2).map(([, , reason]) => reason)).toEqual(['unknown-type', 'behind-parked']);
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
    // Of all services, those that have nothing to show among them: an example's too.
    expect(Object.keys(castiron.endpoints.services)).toContain('recommendations');
    const ofAll = await parked('causes');
    for (const said of [ofAll, await parked('replay', '--reason', 'no-such-reason')])
      expect(said).toMatchObject({ exitCode: 0, stderr: '' });
    const causes = rowsOf(ofAll).map(([service, , ...cause]) => [service, ...cause.slice(0, 3)]);
    expect(causes).toContainEqual(['notifications', 'behind-parked', topic, noticeDue.type]);
    expect(await list('--reason', 'behind-parked')).toContainEqual(expect.arrayContaining([waiting]));
    expect(await list('--reason', 'behind-parked')).not.toContainEqual(expect.arrayContaining([broken]));
    const shown = await here('show', broken);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: broken, topic, reason: 'unknown-type', state: 'parked' });

    // Behind what is parked itself it does not go, and the program's end says so.
    const refused = await here('replay', waiting, '--yes');
    expect(rowsOf(refused)).toEqual([['notifications', waiting, topic, 'still-parked', 'behind-parked']]);
    expect(refused.exitCode).toBe(1);

    const why = 'sent by a test';
    const discard = ['discard', broken, '--why', why] as const;
    expect((await here(...discard)).stdout).toMatch(
      new RegExp(`^notifications: 1 would be discarded \\(${broken}\\)\\n.*dry run. Add --yes`),
    );
    expect(await list()).toContainEqual(expect.arrayContaining([broken]));
    expect((await here(...discard, '--yes')).stdout).toBe(`notifications: 1 discarded (${broken})`);
    const dry = await here('replay', waiting);
    expect(dry.stdout).toMatch(
      new RegExp(
        `^service .*\\nnotifications  ${waiting} .* handled .*\\n.*dry run. Add --yes .* 100 messages of a key`,
      ),
    );
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
    expect(await acts(waiting)).toEqual([
      ['replay-failed', AT_A_TERMINAL, 'behind-parked'],
      ['replayed', AT_A_TERMINAL, '-'],
    ]);
  });

  it('says where it ended before it came to all, and goes on from there', async () => {
    const behind = ['--topic', topic, '--reason', 'behind-parked'];
    const before = (await list('--reason', 'behind-parked')).length;
    const { broken, waiting } = await parkNotice(subject, `A Neighbour ${randomUUID()}`, 519);
    await eventually(async () => {
      const page = await here('list', ...behind);
      expect(rowsOf(page)).toHaveLength(500);
      expect(rowsOf(await here('list', ...behind, '--after', endOf(page)))).toHaveLength(20 + before);
    }, within);
    await here('discard', broken, '--why', 'sent by a test', '--yes');

    const dry = rowsOf(await here('replay', waiting)).filter(([service]) => service === 'notifications');
    expect(dry).toHaveLength(100);
    const half = await here('replay', waiting, '--yes');
    expect([half.exitCode, rowsOf(half).length]).toEqual([1, 500]);
    const rest = await here('replay', waiting, '--yes', '--after', endOf(half));
    expect([rest.exitCode, rowsOf(rest).length]).toEqual([0, 20]);
    expect(await list('--reason', 'behind-parked')).toHaveLength(before);

    const acts = await here('actions');
    expect(rowsOf(acts)).toHaveLength(500);
    const further = rowsOf(await here('actions', '--after', endOf(acts)));
    expect(further).not.toContainEqual(rowsOf(acts).at(-1));
    expect(further).toContainEqual(expect.arrayContaining([rowsOf(rest).at(-1)?.[1], 'replayed']));
  }, 120_000);

  it.each([
    ['does not answer', 'http://nobody.invalid', /^partner-sharing does not answer at http:\/\/nobody.invalid/],
    ['is something else', castiron.endpoints.identity.issuer, /^partner-sharing: answered 404 at /],
  ])('shows what the others said where a service %s, names it, and ends with 1', async (_, url, word) => {
    const { broken, waiting } = await parkNotice(subject, `A Neighbour ${randomUUID()}`);
    const { services } = castiron.endpoints;
    const moved = { ...services['partner-sharing']!, url };
    const elsewhere = new Castiron({ ...castiron.endpoints, services: { ...services, 'partner-sharing': moved } });
    for (const args of [['causes'], ['list', '--topic', topic], ['replay', '--topic', topic]]) {
      const said = await parkedCommand(elsewhere, ...args);
      expect(said.exitCode, args.join(' ')).toBe(1);
      expect(said.stderr, args.join(' ')).toMatch(word);
      expect(rowsOf(said), args.join(' ')).toContainEqual(expect.arrayContaining(['notifications', topic]));
    }
    const alone = await parkedCommand(elsewhere, 'causes', '--service', 'partner-sharing');
    expect(alone).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(word) as string });
    await here('discard', broken, waiting, '--why', 'sent by a test', '--yes');
  });

  it('says so of a service that reads no topics', async () => {
    const { services } = castiron.endpoints;
    const profiles = services['customer-profiles']!;
    // Where it has no such routes.
    const moved = { ...profiles, url: `${profiles.url}/nothing` };
    const elsewhere = new Castiron({ ...castiron.endpoints, services: { ...services, 'customer-profiles': moved } });
    const said = await parkedCommand(elsewhere, 'causes', '--service', 'customer-profiles');
    expect(said).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/no topics are read by customer-profiles/) as string,
    });
  });

  it('says what is amiss, and changes nothing', async () => {
    for (const [args, word] of [
      [['show', '1'], /say which, with --service/],
      [['replay', '1'], /say which, with --service/],
      [['list', '--after', '1'], /say which, with --service/],
      [['actions', '--after', '1'], /say which, with --service/],
      [['discard', '--topic', topic, '--why', 'sent by a test'], /one service at a time/],
      [['replay', '--service', 'notifications'], /Say which messages/],
      [['replay', '999999999999', '--service', 'notifications', '--yes'], /^notifications: not parked: 999999999999$/],
      [['discard', '999999999999', '--service', 'notifications', '--why', 'x', '--yes'], /not parked: 999999999999$/],
      [['discard', '--topic', topic], /--why/],
      // Of an empty variable: it must not be taken for none.
      [['discard', '--topic', topic, '--reason', '', '--why', 'x', '--service', 'notifications'], /^notifications: /],
      [['replay', '--topic', topic, '--type', '', '--service', 'notifications'], /^notifications: /],
      [['list', '--topic', '', '--service', 'notifications'], /^notifications: /],
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
