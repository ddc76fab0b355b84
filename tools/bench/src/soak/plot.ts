import type { Series } from './series.js';

const WIDTH = 860;
const PLOT = { left: 70, width: 600, height: 130 };
const PANEL_HEIGHT = 190;
const TOP = 40;
/** Readable on white for those who do not tell all colours apart (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];
const TICKS = 4;

export interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
}

/** A round number of 1, 2 or 5 times a power of ten, so that about so many steps reach the end. */
function stepOf(end: number): number {
  const rough = end / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((step) => step * power >= rough) ?? 10);
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${x}" y="${y}" ${more}>${escaped(words)}</text>`;
const number = (value: number): string => String(Number(value.toPrecision(4)));

function drawn({ title, series }: Panel, top: number, seconds: number): string {
  const highest = Math.max(...series.flatMap(({ points }) => points.map(({ value }) => value)), 1e-9);
  const step = stepOf(highest);
  const end = Math.ceil(highest / step) * step;
  const x = (at: number) => Math.round((PLOT.left + (at / seconds) * PLOT.width) * 10) / 10;
  const y = (value: number) => Math.round((top + PLOT.height - (value / end) * PLOT.height) * 10) / 10;
  const rows = Array.from({ length: Math.round(end / step) + 1 }, (_, n) => n * step);
  const minutes = stepOf(seconds / 60);
  const columns = Array.from({ length: Math.floor(seconds / 60 / minutes) + 1 }, (_, n) => n * minutes);
  return [
    text(PLOT.left, top - 10, title, 'font-weight="bold"'),
    ...rows.map(
      (value) =>
        `<path d="M${PLOT.left} ${y(value)}h${PLOT.width}" stroke="#ddd"/>` +
        text(PLOT.left - 6, y(value) + 4, number(value), 'text-anchor="end"'),
    ),
    ...columns.map((minute) =>
      text(x(minute * 60), top + PLOT.height + 16, `${number(minute)} min`, 'text-anchor="middle"'),
    ),
    ...series.map(({ name, unit, points }, n) => {
      const colour = COLOURS[n % COLOURS.length] ?? 'black';
      const line = points.map(({ at, value }) => `${x(at)},${y(value)}`).join(' ');
      return (
        `<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="1.5"/>` +
        text(PLOT.left + PLOT.width + 12, top + 12 + n * 18, `${name}, ${unit}`, `fill="${colour}"`)
      );
    }),
  ].join('\n');
}

/** All panels below each other, over the same time. Each begins at zero. */
export function plot(title: string, panels: readonly Panel[]): string {
  const seconds = Math.max(
    ...panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(({ at }) => at))),
  );
  const height = TOP + panels.length * PANEL_HEIGHT;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${text(PLOT.left, 20, title, 'font-size="14"')}
${panels.map((panel, n) => drawn(panel, TOP + 20 + n * PANEL_HEIGHT, seconds)).join('\n')}
</svg>
`;
}
