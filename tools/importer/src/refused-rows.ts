import { stringify } from 'csv-stringify/sync';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { CannotImport } from './assignments.js';

/** The two columns in front of the refused row's own. */
export const REFUSED_COLUMNS = ['refused line', 'refused reason'] as const;

/** What a spreadsheet would run as a formula, or a text that was made safe before. */
const FORMULA = /^'*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/;

/** Text for a file that people open in a spreadsheet: a formula gets an apostrophe in front and stays text (OWASP, CSV injection). */
export const asSpreadsheetText = (cell: string): string => (FORMULA.test(cell) ? `'${cell}` : cell);

/** The very value again, when a mended file of refused rows is brought in. */
export const fromSpreadsheetText = (cell: string): string =>
  cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell;

export const isRefusedFile = (header: readonly string[]): boolean =>
  REFUSED_COLUMNS.every((column, position) => header[position] === column);

/** `customers.csv` -> `customers.refused.csv`, in the same folder. */
export const refusedFileOf = (input: string): string =>
  join(dirname(input), `${basename(input, extname(input))}.refused.csv`);

/** Writes refused rows beside the input; the file exists only where a row was refused, and a new run replaces it. */
export class RefusedRows {
  #handle: FileHandle | undefined;
  #count = 0;

  private constructor(
    readonly file: string,
    private readonly header: readonly string[],
    private readonly delimiter: string,
  ) {}

  /** @throws CannotImport where the file of an earlier run cannot be taken away */
  static async open(input: string, header: readonly string[], delimiter: string): Promise<RefusedRows> {
    const file = refusedFileOf(input);
    await rm(file, { force: true }).catch(cannotWrite(file));
    return new RefusedRows(file, header, delimiter);
  }

  get count(): number {
    return this.#count;
  }

  /** @throws CannotImport where the file cannot be written */
  async write(line: number, reason: string, cells: readonly string[]): Promise<void> {
    this.#count += 1;
    try {
      const handle = (this.#handle ??= await this.#begin());
      await handle.appendFile(this.#textOf([String(line), reason, ...cells]));
    } catch (error) {
      cannotWrite(this.file)(error as NodeJS.ErrnoException);
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }

  async #begin(): Promise<FileHandle> {
    // Rows hold personal data: for the person who runs the import only.
    const handle = await open(this.file, 'w', 0o600);
    await handle.appendFile(this.#textOf([...REFUSED_COLUMNS, ...this.header]));
    return handle;
  }

  #textOf(cells: readonly string[]): string {
    return stringify([cells.map(asSpreadsheetText)], { delimiter: this.delimiter });
  }
}

const cannotWrite =
  (file: string) =>
  (error: NodeJS.ErrnoException): never => {
    throw new CannotImport(`cannot write ${file}, where refused rows go: ${error.code ?? error.message}`);
  };
