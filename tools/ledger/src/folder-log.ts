import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  bundlePath,
  decodeBundle,
  LogAltered,
  NotInLog,
  TILE_WIDTH,
  tilePath,
  type BundleAddress,
  type LogSource,
} from '@castiron/ledger';

/** A copy of a log in a folder, by the very paths of a server (C2SP tlog-tiles). */
export function folderLog(folder: string): LogSource {
  const read = async (path: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NotInLog(`${join(folder, path)} is not there`);
      throw error;
    }
  };
  return {
    checkpoint: () => read('checkpoint'),
    tile: (tile) => read(tilePath(tile)),
    bundle: (bundle) => read(bundlePath(bundle)),
  };
}

/** Whole, or not at all. */
export async function keep(path: string, content: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, content);
  await rename(`${path}.part`, path);
}

/**
 * Gives what a log gives, and keeps it in a folder. The checkpoint is kept last: what it needs is there then. What the folder
 * has from the last time stays as it is: a log that gives another entry is found out by the very entry.
 */
export function copying(log: LogSource, folder: string): { log: LogSource; end: () => Promise<void> } {
  const former = formerCopy(folder);
  let checkpoint: Buffer | undefined;
  const kept = async (path: string, content: Buffer): Promise<Buffer> => {
    await keep(join(folder, path), content);
    return content;
  };
  return {
    log: {
      checkpoint: async () => (checkpoint = await log.checkpoint()),
      tile: async (tile) => kept(tilePath(tile), await log.tile(tile)),
      bundle: async (bundle) => {
        const content = await log.bundle(bundle);
        await former.compare(bundle, content);
        return kept(bundlePath(bundle), content);
      },
    },
    end: async () => {
      if (checkpoint !== undefined) await keep(join(folder, 'checkpoint'), checkpoint);
    },
  };
}

/** What a folder has of a log from the last time, if anything. */
function formerCopy(folder: string) {
  const copy = folderLog(folder);
  const orNone = <T>(read: Promise<T>): Promise<T | undefined> =>
    read.catch((error: unknown) => {
      if (error instanceof NotInLog) return undefined;
      throw error;
    });
  const size = orNone(copy.checkpoint()).then((note) => Number(String(note).split('\n')[1]) || 0);
  // Whoever reads first hears of it.
  size.catch(() => undefined);
  return {
    /** @throws LogAltered naming the first entry that is another than the last time */
    async compare({ index, width }: BundleAddress, content: Buffer): Promise<void> {
      const first = index * TILE_WIDTH;
      const known = Math.min(TILE_WIDTH, (await size) - first);
      const before = known > 0 ? await orNone(copy.bundle({ index, width: known })) : undefined;
      if (before === undefined) return;
      const entries = decodeBundle(content, width);
      const other = decodeBundle(before, known).findIndex((entry, n) => entries[n]?.equals(entry) !== true);
      if (other !== -1) throw new LogAltered(first + other, first + other + 1, 'it is another than in the copy');
    },
  };
}
