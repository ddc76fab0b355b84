import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundlePath, NotInLog, tilePath, type LogSource } from '@castiron/ledger';

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

/** Gives what a log gives, and keeps it in a folder. The checkpoint is kept last: what it needs is there then. */
export function copying(log: LogSource, folder: string): { log: LogSource; end: () => Promise<void> } {
  let checkpoint: Buffer | undefined;
  const kept = async (path: string, read: () => Promise<Buffer>): Promise<Buffer> => {
    const content = await read();
    await keep(join(folder, path), content);
    return content;
  };
  return {
    log: {
      checkpoint: async () => (checkpoint = await log.checkpoint()),
      tile: (tile) => kept(tilePath(tile), () => log.tile(tile)),
      bundle: (bundle) => kept(bundlePath(bundle), () => log.bundle(bundle)),
    },
    end: async () => {
      if (checkpoint !== undefined) await keep(join(folder, 'checkpoint'), checkpoint);
    },
  };
}
