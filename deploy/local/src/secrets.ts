import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

/** The passwords of one data folder: made when first asked for, the same ever after. */
export class Secrets {
  private constructor(
    private readonly file: string,
    private readonly known: Record<string, string>,
  ) {}

  static async of(file: string): Promise<Secrets> {
    return new Secrets(file, JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Record<string, string>);
  }

  get(name: string): string {
    return (this.known[name] ??= randomBytes(24).toString('base64url'));
  }

  async save(): Promise<void> {
    await writeFile(this.file, JSON.stringify(this.known, null, 2), { mode: 0o600 });
  }
}
