import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CannotImport } from './assignments.js';
import { batchesOf, inFlight } from './batches.js';
import { readCsv, type CsvRow } from './csv.js';
import type { ImportService, RowAnswer } from './import-service.js';
import { Progress } from './progress.js';
import { fromSpreadsheetText, isRefusedFile, REFUSED_COLUMNS, RefusedRows } from './refused-rows.js';

/** What became of a file's rows. */
export interface Summary {
  readonly read: number;
  readonly created: number;
  readonly existing: number;
  readonly refused: number;
  readonly ms: number;
  /** Where refused rows stand, if there are any. */
  readonly refusedFile: string | undefined;
  /** Why the file was not read to its end. */
  readonly unread: string | undefined;
}

export interface FileImport<Row> {
  readonly file: string;
  readonly label: string;
  readonly delimiter: string;
  readonly width: number;
  readonly service: ImportService;
  /** What every request carries besides its rows. */
  readonly common: Record<string, unknown>;
  /** Made once the header is known; throws CannotImport where options and file do not fit. */
  mapping(header: readonly string[]): (cells: readonly string[]) => Row | { readonly problem: string };
  /** Whether a row may be asked about at all, and what it looks like on the wire. */
  onWire(row: Row): unknown;
  answered?(rows: readonly (readonly [Row, RowAnswer])[]): void;
  readonly stop?: AbortSignal;
}

interface Mapped<Row> {
  readonly line: number;
  readonly cells: readonly string[];
  readonly row: Row | { readonly problem: string };
}

const hasProblem = (row: object): row is { readonly problem: string } => 'problem' in row;

const unreadable = (file: string, error: NodeJS.ErrnoException): CannotImport =>
  new CannotImport(`cannot read ${file}: ${error.code ?? error.message}`);

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new CannotImport(`there is no file ${file}`) : unreadable(file, error);
  });
  if (!found.isFile()) throw new CannotImport(`${file} is not a file`);
  return found.size;
}

async function* mapped<Row>(
  rows: AsyncIterable<CsvRow>,
  map: (cells: readonly string[]) => Row | { readonly problem: string },
  cellsOf: (cells: readonly string[]) => readonly string[],
  stop: AbortSignal | undefined,
): AsyncGenerator<Mapped<Row>> {
  for await (const { line, cells, problem } of rows) {
    if (stop?.aborted === true) return;
    const own = cellsOf(cells);
    yield { line, cells: own, row: problem === undefined ? map(own) : { problem } };
  }
}

/**
 * Streams a file to a service, a few batches at a time; rows stay in order where they are counted and refused. Kill it
 * at any point and run it again: the service knows each key.
 */
export async function importFile<Row extends object>(task: FileImport<Row>): Promise<Summary> {
  const started = Date.now();
  const progress = new Progress(task.label, await sizeOf(task.file));
  const source = createReadStream(task.file);
  const counts = { read: 0, created: 0, existing: 0 };
  try {
    const counter = progress.counter();
    // A pipe hands on no error: without this the parser would wait for ever.
    source.on('error', (error) => counter.destroy(unreadable(task.file, error))).pipe(counter);
    const csv = await readCsv(counter, task.delimiter);
    if (csv.header.length === 0) throw new CannotImport(`${task.file} is empty: it has no header`);
    // A mended file of refused rows is read as the file it came from.
    const again = isRefusedFile(csv.header);
    const cellsOf = (cells: readonly string[]) =>
      again ? cells.slice(REFUSED_COLUMNS.length).map(fromSpreadsheetText) : cells;
    const header = cellsOf(csv.header);
    const map = task.mapping(header);
    const refused = await RefusedRows.open(task.file, header, task.delimiter);
    progress.start();

    const send = async (batch: readonly Mapped<Row>[]) => {
      const sent = batch.flatMap(({ row }) => (hasProblem(row) ? [] : [row]));
      const answers =
        sent.length === 0
          ? []
          : await task.service.send(
              task.common,
              sent.map((row) => task.onWire(row)),
            );
      task.answered?.(sent.map((row, at) => [row, answers[at] as RowAnswer] as const));
      return { batch, answers };
    };
    try {
      const rows = mapped(csv.rows, map, cellsOf, task.stop);
      const batches = batchesOf(rows, ({ row }) => (hasProblem(row) ? null : task.onWire(row)));
      for await (const { batch, answers } of inFlight(batches, task.width, send)) {
        let at = 0;
        for (const { line, cells, row } of batch) {
          const answer = hasProblem(row) ? { outcome: 'refused', reason: row.problem } : (answers[at++] as RowAnswer);
          counts.read += 1;
          if (answer.outcome === 'refused') await refused.write(line, answer.reason ?? 'no reason given', cells);
          else if (answer.outcome === 'existing') counts.existing += 1;
          else counts.created += 1;
        }
        progress.answered(batch.length);
      }
      const unread = csv.unread();
      if (unread !== undefined) await refused.write(unread.line, unread.problem, []);
      return {
        ...counts,
        refused: refused.count,
        ms: Date.now() - started,
        refusedFile: refused.count > 0 ? refused.file : undefined,
        unread: unread === undefined ? undefined : `line ${unread.line}: ${unread.problem}`,
      };
    } finally {
      await refused.close();
    }
  } finally {
    source.destroy();
    progress.stop();
  }
}
