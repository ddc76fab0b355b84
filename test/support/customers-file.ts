const ROWS = 4_000;

/** A small generator of numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface RefusedRow {
  /** Where the row begins, counted from 1. */
  readonly line: number;
  readonly reason: RegExp;
  /** Whether it can be taken once it has a name and stands in proper quotes. */
  readonly mendable: boolean;
}

export interface CustomersFile {
  readonly text: string;
  /** Rows that become a customer. */
  readonly good: number;
  /** Good rows that stand in the file a second time. */
  readonly repeated: number;
  readonly refused: readonly RefusedRow[];
}

const NAMES = [
  'Plain Ltd',
  '"Quoted, with comma"',
  '"He said ""yes"" Ltd"',
  '=1+2',
  '+49 Ltd',
  '@SUM(A1)',
  'Grün & Öl',
];
const ADDRESSES = [
  '1 Main Street',
  '"1 Main Street\r\nFloor 2\r\nSpringfield"',
  '"1 Main Street, Springfield"',
  '"-1 Side\nStreet"',
];
const BAD: readonly (readonly [row: (key: string) => string, reason: RegExp, mendable: boolean])[] = [
  [(key) => `${key},,1 Main Street,`, /companyName/, true],
  [() => ',No Number Ltd,1 Main Street,', /customer number/, false],
  [(key) => `${key},One field short`, /2 fields where the header has 4/, false],
  [(key) => `${key},Stray " quote,1 Main Street,`, /quote/, true],
];

/**
 * A customer base as it comes out of old systems: a BOM, CRLF, quoted fields with line breaks in them, formula
 * characters, rows that stand twice, and rows that cannot be taken.
 * @param mark makes the customer numbers unique
 */
export function customersFile(mark: string, seed: number): CustomersFile {
  const random = randomFrom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const rows = ['\uFEFFCIK,Name,HQ address,Mail'];
  const refused: RefusedRow[] = [];
  let line = 2;
  let [good, repeated] = [0, 0];
  const add = (row: string) => {
    rows.push(row);
    line += 1 + (row.match(/\n/g)?.length ?? 0);
  };
  for (let n = 1; n <= ROWS; n += 1) {
    const key = `${mark}-${n}`;
    if (n % 100 === 0) {
      const [row, reason, mendable] = pick(BAD);
      refused.push({ line, reason, mendable });
      add(row(key));
      continue;
    }
    const row = `${key},${pick(NAMES)},${pick(ADDRESSES)},${n % 3 === 0 ? `accounts@company-${n}.example` : ''}`;
    add(row);
    good += 1;
    if (n % 500 !== 1) continue;
    add(row);
    repeated += 1;
  }
  return { text: `${rows.join('\r\n')}\r\n`, good, repeated, refused };
}
