import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { readKept } from './kept-json.js';

/** The passwords of one data folder: made when first asked for, the same ever after. */
export class Secrets {
  private constructor(
    private readonly file: string,
    private readonly known: Record<string, string>,
  ) {}

  static async of(file: string): Promise<Secrets> {
    return new Secrets(file, (await readKept<Record<string, string>>(file)) ?? {});
  }

  /** On disk before it is returned: a server that was set up with a forgotten password lets nobody in ever again. */
  get(name: string): string {
    const known = this.known[name];
    if (known !== undefined) return known;
    const made = randomBytes(24).toString('base64url');
    this.known[name] = made;
    writeFileSync(`${this.file}.new`, JSON.stringify(this.known, null, 2), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
    return made;
  }
}
