import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NoteRefused } from '../notes/signed-note.js';
import { KeptLog } from '../testing/kept-log.js';
import type { TreeHead } from '../tree/verify-proofs.js';
import { LogAltered } from './log-altered.js';
import { verifyLog, type Verification } from './verify-log.js';

const entry = (n: number): Buffer => Buffer.from(`{"entry":${n}}`);
const range = (from: number, to: number): Buffer[] => Array.from({ length: to - from }, (_, n) => entry(from + n));

/** A log that grew step by step, each step signed. */
async function grown(...sizes: readonly number[]): Promise<KeptLog> {
  const log = new KeptLog();
  for (const size of sizes) await log.append(range(log.entries.length, size));
  return log;
}

/** Another log of the same key, that differs from this one from an entry on. */
async function rewritten(log: KeptLog, from: number, size = log.entries.length): Promise<KeptLog> {
  const other = new KeptLog(log.signer);
  const entries = log.entries.slice(0, size);
  await other.append(entries.with(from, Buffer.from('rewritten')));
  return other;
}

const verified = (log: KeptLog, over: Partial<Verification> = {}): Promise<TreeHead> =>
  verifyLog({ log, verifier: log.verifier, ...over });

async function faultOf(log: KeptLog, remembered: readonly Buffer[] = []): Promise<[number, number]> {
  const fault = await verified(log, { remembered }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(fault instanceof LogAltered)) throw new Error('the log was not found altered', { cause: fault });
  return [fault.from, fault.to];
}

describe('verifying a log', () => {
  it.each([0, 1, 255, 256, 257, 600, 65_536, 66_000])('of %i entries finds all as it was signed', async (size) => {
    const log = await grown(size);
    const progress: number[] = [];
    const head = await verified(log, { onProgress: (done) => progress.push(done) });
    expect(head.size).toBe(size);
    expect(progress.at(-1)).toBe(size === 0 ? undefined : size);
    expect(progress).toHaveLength(Math.ceil(size / 256));
  });

  it('takes what was signed before into account', async () => {
    const log = await grown(3, 256, 256, 300, 1_000);
    expect((await verified(log, { remembered: log.checkpoints })).size).toBe(1_000);
  });

  it('names the very entry that was tampered with', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(699), async (index) => {
        const log = await grown(700);
        log.entries[index] = Buffer.from('tampered');
        expect(await faultOf(log)).toEqual([index, index + 1]);
      }),
      { numRuns: 20 },
    );
  });

  it('names the entries since the last head that was right, where the tiles were rewritten with the entry', async () => {
    const log = await grown(10, 100, 110, 120, 700);
    const { tree, entries } = await rewritten(log, 113);
    Object.assign(log, { tree, tile: tree.read, entries });
    expect(await faultOf(log)).toEqual([0, 700]);
    expect(await faultOf(log, log.checkpoints)).toEqual([110, 120]);
  });

  it('finds a history that forked, though its head is signed', async () => {
    const log = await grown(10, 100, 110, 120, 700);
    const fork = await rewritten(log, 113);
    expect((await verified(fork)).size).toBe(700);
    expect(await faultOf(fork, log.checkpoints)).toEqual([110, 120]);
    expect(await faultOf(fork, log.checkpoints.slice(-1))).toEqual([0, 700]);
  });

  it('finds a tail that was deleted, though the rest is signed', async () => {
    const log = await grown(700);
    const shorter = new KeptLog(log.signer);
    await shorter.append(range(0, 650));
    expect(await faultOf(shorter, log.checkpoints)).toEqual([650, 700]);
  });

  it('finds a head that was put back', async () => {
    const log = await grown(300, 700);
    const remembered = log.checkpoints.slice();
    log.checkpoints.pop();
    expect(await faultOf(log, remembered)).toEqual([300, 700]);
  });

  it('takes the head of no other key, and of no other log', async () => {
    const log = await grown(5);
    const other = await grown(5);
    log.checkpoints.push(other.checkpoints[0]!);
    await expect(verified(log)).rejects.toThrow(NoteRefused);
    await expect(verified(other, { remembered: [log.checkpoints[0]!] })).rejects.toThrow(NoteRefused);
  });

  it.each([
    ['of leaves', '0/1', 3, [259, 260]],
    ['above', '1/0', 1, [256, 512]],
  ] as const)('finds a tile %s that is not of the entries', async (_what, tile, position, found) => {
    const log = await grown(700);
    const altered = Buffer.from(log.tree.tiles.get(tile)!);
    altered[position * 32] = altered[position * 32]! ^ 1;
    log.tree.tiles.set(tile, altered);
    expect(await faultOf(log)).toEqual(found);
  });

  it('names what cannot be read', async () => {
    const log = await grown(700);
    log.tree.tiles.delete('1/0');
    expect(await faultOf(log)).toEqual([0, 512]);
    log.tree.tiles.delete('0/1');
    expect(await faultOf(log)).toEqual([256, 512]);
    log.entries.length = 200;
    expect(await faultOf(log)).toEqual([0, 256]);
  });

  it('says nothing of a log that is away', async () => {
    const log = await grown(700);
    const away = new Error('away');
    Object.assign(log, { tile: () => Promise.reject(away) });
    await expect(verified(log)).rejects.toBe(away);
  });
});
