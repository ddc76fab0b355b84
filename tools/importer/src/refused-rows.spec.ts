import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asSpreadsheetText, fromSpreadsheetText, isRefusedFile, refusedFileOf, RefusedRows } from './refused-rows.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-refused-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('refused rows', () => {
  it('stand beside the input with line and reason, readable by their owner only', async () => {
    const input = join(folder, 'customers.csv');
    const refused = await RefusedRows.open(input, ['CIK', 'Name'], ',');
    await refused.write(7, 'key: empty', ['', 'a "quoted"\nname']);
    await refused.close();
    expect(refused.file).toBe(join(folder, 'customers.refused.csv'));
    expect(await readFile(refused.file, 'utf8')).toBe(
      'refused line,refused reason,CIK,Name\n7,key: empty,,"a ""quoted""\nname"\n',
    );
    expect((await stat(refused.file)).mode & 0o777).toBe(0o600);
  });

  it('leave no file of an earlier run when none is refused', async () => {
    const input = join(folder, 'customers.csv');
    await writeFile(refusedFileOf(input), 'of before');
    await (await RefusedRows.open(input, ['CIK'], ',')).close();
    await expect(stat(refusedFileOf(input))).rejects.toThrow('ENOENT');
  });

  it.each(['=1+1', '+1 555', '-x', '@SUM(A1)', "'=1", "''@", "'plain", 'plain', '', '\t=x'])(
    'keep %j as text, and give it back',
    (cell) => {
      const shown = asSpreadsheetText(cell);
      expect(shown).not.toMatch(/^[=+\-@\t\r]/);
      expect(fromSpreadsheetText(shown)).toBe(cell);
    },
  );

  it('know their own file', () => {
    expect(isRefusedFile(['refused line', 'refused reason', 'CIK'])).toBe(true);
    expect(isRefusedFile(['CIK'])).toBe(false);
  });
});
