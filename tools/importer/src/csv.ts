import { parse, type CsvError } from 'csv-parse';
import type { Readable } from 'node:stream';

/** One row of the file; `line` is where it begins, counted from 1. A row with a problem is refused, not guessed at. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
  readonly problem?: string;
}

export interface CsvFile {
  readonly header: readonly string[];
  readonly rows: AsyncIterable<CsvRow>;
  /** After the last row: where and why the file could not be read to its end. */
  unread(): { readonly line: number; readonly problem: string } | undefined;
}

/** No row can be larger than this, so a quote that is never closed cannot fill the memory. */
const MAX_ROW_BYTES = 1_048_576;

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|-]/, String.raw`\$&`);

/** RFC 4180: a field is quoted as a whole, or has no quote. */
function wellQuoted(delimiter: string): RegExp {
  const end = escaped(delimiter);
  const field = `(?:"[^"]*(?:""[^"]*)*"|[^"${end}\r\n]*)`;
  return new RegExp(`^\uFEFF?[\r\n]*${field}(?:${end}${field})*[\r\n]*$`);
}

const count = (cells: readonly string[], breaks: RegExp) =>
  cells.reduce((sum, cell) => sum + (cell.match(breaks)?.length ?? 0), 0);

interface Parsed {
  readonly record: string[];
  readonly raw: string;
  readonly info: { readonly lines: number };
}

/**
 * Reads CSV (RFC 4180; UTF-8 with or without BOM; LF, CRLF or CR; quoted fields with embedded line breaks) as a
 * stream. Line breaks inside a field arrive as LF, whatever the file uses; nothing else of a value is changed.
 */
export async function readCsv(source: Readable, delimiter = ','): Promise<CsvFile> {
  const shape = wellQuoted(delimiter);
  let failure: CsvError | undefined;
  let lastLine = 0;

  const parser = parse({
    bom: true,
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    relax_column_count: true,
    // A stray quote costs its row, where csv-parse's own recovery would swallow the rows after it.
    relax_quotes: true,
    raw: true,
    info: true,
    max_record_size: MAX_ROW_BYTES,
    skip_records_with_error: true,
    on_skip: (error) => {
      failure ??= error;
      return undefined;
    },
  });
  source.on('error', (error) => parser.destroy(error)).pipe(parser);

  async function* rowsOf(): AsyncGenerator<CsvRow> {
    let columns: number | undefined;
    // csv-parse counts a CRLF inside quotes as two lines.
    let doubled = 0;
    for await (const { record, raw, info } of parser as AsyncIterable<Parsed>) {
      doubled += count(record, /\r\n/g);
      lastLine = info.lines - doubled;
      columns ??= record.length;
      const line = lastLine - count(record, /\r\n|\r|\n/g);
      const cells = record.map((cell) => (cell.includes('\r') ? cell.replaceAll(/\r\n?/g, '\n') : cell));
      if (raw.includes('"') && !shape.test(raw)) yield { line, cells, problem: 'a quote stands where none may stand' };
      else if (raw.includes('\uFFFD')) yield { line, cells, problem: 'not UTF-8' };
      else if (record.length !== columns)
        yield { line, cells, problem: `${record.length} fields where the header has ${columns}` };
      else yield { line, cells };
    }
  }

  const rows = rowsOf();
  const first = await rows.next();
  return {
    header: first.done === true ? [] : first.value.cells,
    rows,
    unread() {
      if (failure === undefined) return undefined;
      const why =
        failure.code === 'CSV_QUOTE_NOT_CLOSED'
          ? 'a quote is never closed'
          : 'a row is larger than 1 MiB; is a quote never closed?';
      return { line: lastLine + 1, problem: `${why} (nothing from here on was read)` };
    },
  };
}
