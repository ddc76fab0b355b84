import { isPurpose, PURPOSE_NAMES, SLUG_PATTERN, type PurposeName } from '@castiron/contracts';
import { columnOf } from './customer-rows.js';

/** A permission as the file has it: by the customer's number. */
export interface PermissionRow {
  readonly key: string;
  readonly recipient: string;
  readonly purpose: PurposeName;
  readonly givenAt: string;
  readonly how: string;
  readonly statementVersion: number;
}

export const PERMISSION_COLUMNS = ['key', 'recipient', 'purpose', 'givenAt', 'how', 'statement'] as const;

const slug = new RegExp(SLUG_PATTERN);
/** A day, or an instant with its zone: without a zone nobody knows when it was. */
const moment = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

function instantOf(text: string): string | undefined {
  const at = new Date(text);
  // Date would take the 31st of February for the 3rd of March.
  const rolledOver =
    Number(text.slice(8, 10)) > new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  return moment.test(text) && !Number.isNaN(at.getTime()) && !rolledOver ? at.toISOString() : undefined;
}

/** Checks the header and gives the function that makes a row. */
export function permissionMapping(
  header: readonly string[],
): (cells: readonly string[]) => PermissionRow | { readonly problem: string } {
  const positions = PERMISSION_COLUMNS.map((column) => columnOf(header, column, '--permissions'));
  return (cells) => {
    const [key = '', recipient = '', purpose = '', given = '', how = '', statement = ''] = positions.map((position) =>
      (cells[position] ?? '').trim(),
    );
    const givenAt = instantOf(given);
    if (key === '') return { problem: 'key: empty' };
    if (!slug.test(recipient)) return { problem: `recipient: not a slug (${SLUG_PATTERN})` };
    if (!isPurpose(purpose)) return { problem: `purpose: none of ${PURPOSE_NAMES.join(', ')}` };
    if (givenAt === undefined)
      return { problem: 'givenAt: not a day (2024-05-31) or an instant with its zone (2024-05-31T10:00:00Z)' };
    if (how === '') return { problem: 'how: empty; it is the evidence that the permission was given' };
    if (!/^[1-9]\d{0,8}$/.test(statement)) return { problem: "statement: not a statement's version (1, 2, ...)" };
    return { key, recipient, purpose, givenAt, how, statementVersion: Number(statement) };
  };
}
