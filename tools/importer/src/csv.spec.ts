import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readCsv } from './csv.js';

async function read(text: string | Buffer, delimiter?: string) {
  // In pieces of a few bytes, so that every border falls somewhere awkward.
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 3) }, (_, at) => bytes.subarray(at * 3, at * 3 + 3));
  const csv = await readCsv(Readable.from(pieces, { objectMode: false }), delimiter);
  const rows = [];
  for await (const row of csv.rows) rows.push(row);
  return { header: csv.header, rows, unread: csv.unread() };
}

describe('reading CSV', () => {
  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('reads %s, with and without BOM, and a last line without its end', async (_, end) => {
    for (const bom of ['', '\uFEFF']) {
      const { header, rows } = await read(`${bom}a,b${end}1,Zoë${end}${end}3,4`);
      expect(header).toEqual(['a', 'b']);
      expect(rows).toEqual([
        { line: 2, cells: ['1', 'Zoë'] },
        { line: 4, cells: ['3', '4'] },
      ]);
    }
  });

  it('keeps quoted delimiters, quotes and line breaks, and says where a row begins', async () => {
    const { rows } = await read('a,b\r\n"x, ""y""\r\nz",2\r\n"",q\r\n');
    expect(rows).toEqual([
      { line: 2, cells: ['x, "y"\nz', '2'] },
      { line: 4, cells: ['', 'q'] },
    ]);
  });

  it.each(['=1+1', '+1 555 0100', '-x', '@SUM(A1)', "'quoted", ' spaces '])('leaves %j as it is', async (value) => {
    expect((await read(`a,b\n${value},2\n`)).rows).toEqual([{ line: 2, cells: [value, '2'] }]);
  });

  it('refuses a row it cannot trust and reads the rows after it', async () => {
    const { rows } = await read(Buffer.from('a,b\n1\n1,2,3\n4,b"c\n"bad"x,5\nM\xFCller,6\n7,8\n', 'latin1'));
    expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
      [2, '1 fields where the header has 2'],
      [3, '3 fields where the header has 2'],
      [4, 'a quote stands where none may stand'],
      [5, 'a quote stands where none may stand'],
      [6, 'not UTF-8'],
      [7, undefined],
    ]);
  });

  it('says from where on the file could not be read, and gives what stood before', async () => {
    const { rows, unread } = await read('a,b\n1,2\n"never closed,3\n4,5\n');
    expect(rows).toEqual([{ line: 2, cells: ['1', '2'] }]);
    expect(unread).toMatchObject({ line: 3, problem: 'a quote is never closed (nothing from here on was read)' });
  });

  it('reads an empty file and other delimiters', async () => {
    expect(await read('')).toEqual({ header: [], rows: [], unread: undefined });
    expect((await read('a;b\n1,5;2\n', ';')).rows).toEqual([{ line: 2, cells: ['1,5', '2'] }]);
  });
});
