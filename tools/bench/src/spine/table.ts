import { reachesAim, reachesMust, type Figure } from './figure.js';

const HEAD = ['figure', 'value', 'spread', 'unit', 'must', 'aim', ''];

function shown(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

function wanted(value: number | null, direction: Figure['direction']): string {
  return value === null ? '' : `${direction === 'atMost' ? '<=' : '>='} ${shown(value)}`;
}

function verdict(it: Figure): string {
  if (it.must === null && it.aim === null) return '';
  if (!reachesMust(it)) return 'MISSED';
  return reachesAim(it) ? 'aim' : 'must';
}

/** One round is no median, and has no spread. */
function spread({ value, rounds, spread: [low, high] }: Figure): string {
  if (Number.isNaN(value)) return 'not measured';
  return rounds.length === 1 ? 'one round' : `${shown(low)} to ${shown(high)}`;
}

const rowOf = (it: Figure): string[] => [
  it.name,
  shown(it.value),
  spread(it),
  it.unit,
  wanted(it.must, it.direction),
  wanted(it.aim, it.direction),
  verdict(it),
];

/** The figures as a table that is Markdown too, so that it goes into the documentation as it is. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = [HEAD, ...figures.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0), 3));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
