import { styleText } from 'node:util';
import { holdsAnything, type AttributeName, type HeldCopy } from '@castiron/contracts';
import type { Change } from './partner-copy.js';

type Format = Parameters<typeof styleText>[0];
export type Paint = (format: Format, text: string) => string;

export const inColour: Paint = (format, text) => styleText(format, text, { validateStream: false });
export const plain: Paint = (_format, text) => text;

/** Values are customers' own words: nothing in them may steer a terminal. */
export function printable(value: string): string {
  return value.replace(/\r?\n|\r/g, ' / ').replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}

type Attribute = NonNullable<HeldCopy['attributes'][AttributeName]>;

const NAME_WIDTH = 18;
const VALUE_WIDTH = 34;
const INDENT = ' '.repeat(12);

const namesOf = (copy: HeldCopy): AttributeName[] => Object.keys(copy.attributes) as AttributeName[];

function titleOf({ subject, before, after }: Change): string {
  const value = (copy: HeldCopy): string | undefined =>
    copy.attributes.companyName?.value ?? copy.attributes.contactName?.value;
  const name = value(after) ?? value(before);
  return name === undefined ? subject : `${printable(name)} (${subject.slice(0, 8)})`;
}

function attributeLine(paint: Paint, name: string, attribute: Attribute, isNew: boolean): string {
  const value = attribute.value === undefined ? '' : printable(attribute.value);
  const purposes = attribute.purposes.map(({ purpose, ground }) => `${purpose} (${ground})`).join(', ');
  const shown = attribute.held === undefined ? value : `${value} [disputed: keep, do not use]`;
  return `${INDENT}${paint('dim', name.padEnd(NAME_WIDTH))}${paint(isNew ? 'green' : 'reset', shown.padEnd(VALUE_WIDTH))} ${paint('dim', purposes)}`;
}

/** The purposes that it served before and may no longer serve. */
const endedLines = (paint: Paint, before: Attribute | undefined, after: Attribute): string[] =>
  (before?.purposes ?? [])
    .filter(({ purpose }) => !after.purposes.some((one) => one.purpose === purpose))
    .map(({ purpose }) => `${INDENT}${' '.repeat(NAME_WIDTH)}${paint('red', `no longer for ${purpose}`)}`);

const goneLine = (paint: Paint, name: string): string =>
  `${INDENT}${paint('dim', name.padEnd(NAME_WIDTH))}${paint('red', 'deleted')}`;

/** One change as a person would want to read it. */
export function showChange(paint: Paint, at: Date, change: Change): string {
  const { before, after } = change;
  const [mark, colour, word]: [string, Format, string] = !holdsAnything(after)
    ? ['-', 'red', after.deleted ? 'deleted' : 'withdrawn']
    : holdsAnything(before)
      ? ['~', 'yellow', 'changed']
      : ['+', 'green', 'shared with you'];
  const same = (name: AttributeName): boolean =>
    JSON.stringify(before.attributes[name]) === JSON.stringify(after.attributes[name]);
  const lines = [
    `${paint('dim', timeOf(at))}  ${paint(colour, `${mark} ${titleOf(change)}`)} ${word} ${paint('dim', `version ${after.version}`)}`,
    ...namesOf(after).flatMap((name) => {
      const attribute = after.attributes[name] as Attribute;
      return [
        attributeLine(paint, name, attribute, !same(name)),
        ...endedLines(paint, before.attributes[name], attribute),
      ];
    }),
    ...namesOf(before)
      .filter((name) => after.attributes[name] === undefined)
      .map((name) => goneLine(paint, name)),
  ];
  if (before.mailing !== after.mailing && holdsAnything(after))
    lines.push(`${INDENT}${paint('dim', 'mailing'.padEnd(NAME_WIDTH))}${after.mailing}`);
  return lines.join('\n');
}

/** One line about something else than a change. */
export function showNote(paint: Paint, at: Date, note: string, colour: Format = 'cyan'): string {
  return `${paint('dim', timeOf(at))}  ${paint(colour, note)}`;
}

const timeOf = (at: Date): string => at.toTimeString().slice(0, 8);
