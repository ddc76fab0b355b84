import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Invented companies; the same for the same count, with quotes, commas and line breaks as real files have them. */
function* lines(count: number): Generator<string> {
  yield 'Number,Name,Address,Mail\r\n';
  for (let n = 1; n <= count; n += 1) {
    yield `C${n},"Company ""${n}"" of Ash & Elm, Ltd","${n} Oak Street, Floor ${n % 40}\nSpringfield",accounts@company-${n}.example\r\n`;
  }
}

export const MAPPING = [
  ...['--key', 'Number', '--door', 'service-order'],
  ...['--map', 'companyName=Name,registeredAddress=Address,email=Mail', '--set', 'servicesUsed=dedicated server'],
];

export const writeCustomers = (file: string, count: number): Promise<void> =>
  pipeline(Readable.from(lines(count)), createWriteStream(file));
