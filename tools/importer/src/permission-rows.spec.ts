import { describe, expect, it } from 'vitest';
import { permissionMapping } from './permission-rows.js';

const header = ['key', 'recipient', 'purpose', 'givenAt', 'how', 'statement'];
const row = ['7', 'northern-hosting', 'recommendation', '2024-05-31', 'paper form 12', '1'];
const changed = (column: string, value: string) => row.map((cell, at) => (header[at] === column ? value : cell));

describe('a permission from a row', () => {
  it('has who, whom, for what, when, how, and under which statement', () => {
    expect(permissionMapping(header)(row)).toEqual({
      key: '7',
      recipient: 'northern-hosting',
      purpose: 'recommendation',
      givenAt: '2024-05-31T00:00:00.000Z',
      how: 'paper form 12',
      statementVersion: 1,
    });
  });

  it.each([
    ['key', ''],
    ['recipient', 'Northern Hosting'],
    ['purpose', 'fun'],
    ['givenAt', '31/05/2024'],
    ['givenAt', '2024-02-31'],
    ['givenAt', '2024-05-31T10:00:00'],
    ['how', ' '],
    ['statement', '0'],
    ['statement', 'one'],
  ])('is refused with %s %j', (column, value) => {
    expect(permissionMapping(header)(changed(column, value))).toMatchObject({
      problem: expect.stringContaining(`${column}: `) as string,
    });
  });

  it('needs all its columns', () => {
    expect(() => permissionMapping(header.slice(0, 5))).toThrow('no column "statement"');
  });
});
