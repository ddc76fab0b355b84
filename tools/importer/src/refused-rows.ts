import { stringify, type Stringifier } from 'csv-stringify';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { finished } from 'node:stream/promises';

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
  #writer: Stringifier | undefined;
  #finished: Promise<void> | undefined;
  #count = 0;

  private constructor(
    readonly file: string,
    private readonly header: readonly string[],
    private readonly delimiter: string,
  ) {}

  static async open(input: string, header: readonly string[], delimiter: string): Promise<RefusedRows> {
    const file = refusedFileOf(input);
    await rm(file, { force: true });
    return new RefusedRows(file, header, delimiter);
  }

  get count(): number {
    return this.#count;
  }

  async write(line: number, reason: string, cells: readonly string[]): Promise<void> {
    this.#count += 1;
    this.#writer ??= this.#begin();
    const row = [String(line), reason, ...cells].map(asSpreadsheetText);
    if (!this.#writer.write(row)) await new Promise((resolve) => this.#writer?.once('drain', resolve));
  }

  async close(): Promise<void> {
    this.#writer?.end();
    await this.#finished;
  }

  #begin(): Stringifier {
    const writer = stringify({ delimiter: this.delimiter });
    // Rows hold personal data: for the person who runs the import only.
    this.#finished = finished(writer.pipe(createWriteStream(this.file, { mode: 0o600 })));
    writer.write([...REFUSED_COLUMNS, ...this.header.map(asSpreadsheetText)]);
    return writer;
  }
}
