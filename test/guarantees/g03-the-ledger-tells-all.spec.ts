import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topicsOfRecipient } from '@castiron/contracts';
import { openingProblem } from '@castiron/ledger';
import { eventually } from '@castiron/testing';
import { describe, expect, it } from 'vitest';
import { Castiron, valuesOf } from '../support/castiron.js';
import { ledgerOf, whileTampered } from '../support/ledger.js';
import { ledgerCommand, replayCommand } from '../support/ledger-command.js';

const castiron = new Castiron();

/** The name of a copy's first bundle, whole or in part. */
async function firstBundle(copy: string): Promise<string> {
  const [size = ''] = (await readFile(join(copy, 'checkpoint'), 'utf8')).split('\n').slice(1);
  return Number(size) < 256 ? `000.p/${size}` : '000';
}

/** What staff are told of a feed. */
async function foundOn(recipient: string): Promise<Record<string, number>> {
  const told = await castiron.call('partner-sharing', 'GET', '/reconciliation', { as: ['auditor', 'auditor-1'] });
  expect(told.status).toBe(200);
  const feeds = told.body['feeds'] as { recipient: string; partitions: Record<string, string>[] }[];
  const partitions = feeds.find((feed) => feed.recipient === recipient)?.partitions ?? [];
  const sum = (name: string): number => partitions.reduce((total, one) => total + Number(one[name]), 0);
  return {
    records: sum('records'),
    duplicates: sum('duplicates'),
    groundless: sum('groundless'),
    fallen: sum('fallen'),
  };
}

describe('G3: the ledger tells all', () => {
  it('has one entry for every record, which opens its commitments, and a record for every released entry', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'] }]);
    for (let n = 0; n < 4; n += 1) {
      const customer = await castiron.registerCompany({ companyName: `Ledger ${n}` });
      await castiron.permit(customer, partner.slug, 'recommendation');
      // Only what was once on the feed is withdrawn from it.
      await partner.readUntil((messages) =>
        expect(messages.map((message) => valuesOf(message)['companyName'])).toContain(`Ledger ${n}`),
      );
      await castiron.change(customer, { servicesUsed: 'another server' });
      if (n % 2 === 0) await castiron.revoke(customer, partner.slug, 'recommendation');
    }
    const feed = await partner.readUntil((messages) => {
      const last = new Map(messages.map((message) => [message.subject, message]));
      expect(
        [...last.values()].filter((message) => Object.keys(message.record?.attributes ?? {}).length === 0),
      ).toHaveLength(2);
      expect(
        [...last.values()].filter((message) => message.record?.attributes.servicesUsed?.value === 'another server'),
      ).toHaveLength(2);
    });

    const entries = await ledgerOf(castiron, partner.slug);
    for (const message of feed) {
      const matching = entries.filter((entry) => entry.leaf.id === message.ledgerEntry);
      expect(matching).toHaveLength(1);
      expect(matching[0]?.leaf.id).toBe(message.record?.entry);
      expect(openingProblem(matching[0]!.leaf, message.record!)).toBeUndefined();
    }
    const onFeed = new Set(feed.map((message) => message.ledgerEntry));
    const aborted = new Set(entries.filter((entry) => entry.leaf.kind === 'aborted').map((entry) => entry.leaf.of));
    for (const { leaf } of entries.filter((entry) => ['released', 'withdrawn'].includes(entry.leaf.kind))) {
      expect(onFeed.has(leaf.id) || aborted.has(leaf.id), leaf.id).toBe(true);
    }
    const found = { records: feed.length, duplicates: 0, groundless: 0, fallen: 0 };
    await eventually(async () => expect(await foundOn(partner.slug)).toEqual(found), { within: 15_000 });
  });

  it('is compared with the feeds: a record that somebody puts there without an entry becomes an incident that staff see', async () => {
    const officer = ['privacy-officer', 'officer'] as const;
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
    const customer = await castiron.registerCompany({ companyName: 'Compared' });
    await castiron.permit(customer, partner.slug, 'recommendation');
    const [released] = await partner.readUntil((messages) => expect(messages).toHaveLength(1));
    const topic = topicsOfRecipient(partner.slug).feed.name;
    // As who has stolen the service's credentials can.
    const producer = castiron.kafka(castiron.endpoints.kafka.principals['partner-sharing']!).producer();
    await producer.send([{ topic, key: released!.subject, value: '{"companyName":"Nobody asked"}', headers: {} }]);
    await producer.close();
    const about = async (): Promise<Record<string, unknown>[]> => {
      const answer = await castiron.call('partner-sharing', 'GET', '/incidents?limit=200', { as: officer });
      expect(answer.status).toBe(200);
      const all = answer.body['incidents'] as Record<string, unknown>[];
      return all.filter(({ cause }) => String(cause).startsWith(`${topic}, `));
    };
    const [found] = await eventually(
      async () => {
        const open = await about();
        expect(open).toHaveLength(1);
        return open;
      },
      { within: 15_000 },
    );
    expect(found).toMatchObject({ kind: 'disclosure-without-a-ground', owner: 'privacy-officer', state: 'open' });
    expect(String(found?.['cause'])).not.toContain('Nobody asked');

    expect(await foundOn(partner.slug)).toEqual({ records: 1, duplicates: 0, groundless: 1, fallen: 0 });

    const path = `/incidents/${String(found?.['incident'])}/closing`;
    const closing = { as: officer, body: { reason: 'It was a rehearsal.' } };
    expect(await castiron.call('partner-sharing', 'POST', path, closing)).toMatchObject({ status: 200 });
    expect(await about()).toEqual([]);
  });

  it('has no gap in its index', async () => {
    const indexes = (await ledgerOf(castiron)).map((entry) => entry.index);
    expect(indexes).toEqual(indexes.map((_, position) => String(position)));
  });

  it('is verified by whoever asks, and a copy of it without any server', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
    const customer = await castiron.registerCompany({ companyName: 'Verified' });
    await castiron.permit(customer, partner.slug, 'recommendation');
    await partner.readUntil((messages) => expect(messages).not.toEqual([]));
    const size = (await ledgerOf(castiron)).length;
    const log = `${castiron.endpoints.services['partner-sharing']?.url}/ledger`;
    const key = (await (await fetch(`${log}/verifier-key`)).text()).trim();
    const signed = async () => Number((await (await fetch(`${log}/checkpoint`)).text()).split('\n')[1]);
    // In its tree by the next checkpoint.
    await eventually(async () => expect(await signed()).toBeGreaterThanOrEqual(size), { within: 20_000 });

    const folder = await mkdtemp(join(tmpdir(), 'ledger-'));
    try {
      const [seen, copy] = [join(folder, 'seen'), join(folder, 'copy')];
      const verified = await ledgerCommand('verify', '--from', log, '--key', key, '--remember', seen, '--copy', copy);
      expect(verified).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/all of \d+ entries are as they were signed\./),
      });
      const offline = ['verify', '--from', copy, '--key', key, '--remember', seen];
      expect(await ledgerCommand(...offline)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('goes on from'),
      });

      const bundle = join(copy, 'tile/entries', await firstBundle(copy));
      const bytes = await readFile(bundle);
      await writeFile(bundle, Buffer.concat([bytes.subarray(0, 9), Buffer.from('X'), bytes.subarray(10)]));
      expect(await ledgerCommand(...offline)).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining('entry 0: '),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('proves a disclosure to its customer and its recipient, by what they keep and the key', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
    const customer = await castiron.registerCompany({ companyName: 'Proven' });
    await castiron.permit(customer, partner.slug, 'recommendation');
    const [message] = await partner.readUntil((messages) => expect(messages).not.toEqual([]));
    const entry = message!.record!.entry;
    const key = await (
      await fetch(`${castiron.endpoints.services['partner-sharing']?.url}/ledger/verifier-key`)
    ).text();

    const folder = await mkdtemp(join(tmpdir(), 'proof-'));
    try {
      for (const [as, path] of [
        [['customer', customer], `/customers/${customer}/disclosures/${entry}/proof`],
        [['partner', partner.slug], `/recipients/${partner.slug}/entries/${entry}/proof`],
      ] as const) {
        // Before it is under a signed head it is told so, which is a matter of seconds.
        const proof = await eventually(
          async () => {
            const answer = await castiron.text('partner-sharing', path, as);
            expect(answer.status, answer.text).toBe(200);
            return answer.text;
          },
          { within: 20_000 },
        );
        const file = join(folder, 'proof');
        await writeFile(file, proof);
        expect(await ledgerCommand('proof', file, '--key', key.trim())).toMatchObject({
          exitCode: 0,
          stdout: expect.stringContaining(entry),
        });
        await writeFile(
          file,
          proof.replace(/^index (\d+)$/m, (_, index) => `index ${Number(index) + 1}`),
        );
        expect(await ledgerCommand('proof', file, '--key', key.trim())).toMatchObject({ exitCode: 1 });
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has its entries decided again, on what was known then', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'] }]);
    const customer = await castiron.registerCompany({ companyName: 'Replayed' });
    await castiron.permit(customer, partner.slug, 'recommendation');
    await partner.readUntil((messages) => expect(messages).not.toEqual([]));
    await castiron.revoke(customer, partner.slug, 'recommendation');
    await partner.readUntil((messages) => expect(messages).toHaveLength(2));
    const [released, withdrawn] = await ledgerOf(castiron, partner.slug);

    for (const { leaf } of [released!, withdrawn!])
      expect(await replayCommand(castiron, leaf.id)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('the same decision, by policy 1.'),
      });
    expect((await replayCommand(castiron, released!.leaf.id, 'support')).exitCode).not.toBe(0);

    const purposes = [{ purpose: 'security', ground: 'cooperation' }];
    const more = [...released!.leaf.attributes, { name: 'email', purposes }];
    expect(
      await whileTampered(castiron, released!, more, () => replayCommand(castiron, released!.leaf.id)),
    ).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(
        /NOT what is decided[^]*email for security \(cooperation\): the entry says it goes/,
      ),
    });

    const officer = ['privacy-officer', 'officer'] as const;
    expect(
      await castiron.call('customer-profiles', 'POST', `/customers/${customer}/erasure`, { as: officer }),
    ).toMatchObject({ status: 202 });
    await eventually(
      async () =>
        expect(await replayCommand(castiron, released!.leaf.id)).toMatchObject({
          exitCode: 2,
          stdout: expect.stringContaining('not replayable: its customer is erased'),
        }),
      { within: 20_000 },
    );
  });

  it('gives nothing but what it has, in one spelling', async () => {
    const log = `${castiron.endpoints.services['partner-sharing']?.url}/ledger`;
    for (const path of [
      'tile/0/00',
      'tile/64/000',
      'tile/0/x999/000',
      'tile/entries/x001/000',
      'tile/',
      'tile/../checkpoint',
    ])
      expect((await fetch(`${log}/${path}`)).status, path).toBe(path.endsWith('checkpoint') ? 200 : 404);
    const later = await fetch(`${log}/tile/0/x999/000`);
    expect(later.headers.get('cache-control') ?? '').not.toContain('immutable');
    for (const path of ['tile/0/%30%30%30.p/1', 'tile/0/000.p/1?x', 'tile/0/000.p/1/', 'tile/0/000.p/999999999999'])
      expect((await fetch(`${log}/${path}`)).status, path).toBe(404);
    const tile = await fetch(`${log}/tile/0/000.p/1`);
    expect(tile.headers.get('content-type')).toBe('application/octet-stream');
    expect(tile.headers.get('cache-control')).toContain('immutable');
    expect((await tile.arrayBuffer()).byteLength).toBe(32);
  });
});
