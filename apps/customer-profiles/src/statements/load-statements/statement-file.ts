import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Statement } from '../statement.table.js';

const FILE_NAME = /^(\d{4})\.md$/;
const EFFECTIVE_FROM = /^Effective from: (\d{4}-\d{2}-\d{2})$/m;

/** @throws Error where the text does not say since when it holds */
export function parseStatement(version: number, text: string): Statement {
  const effectiveFrom = new Date(EFFECTIVE_FROM.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(effectiveFrom.getTime()))
    throw new Error(`statement ${version} has no line "Effective from: YYYY-MM-DD"`);
  return { version, effectiveFrom, sha256: hash('sha256', text), text };
}

/** The statements in a folder, `0001.md` being version 1. */
export function readStatements(folder: string): Statement[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const version = FILE_NAME.exec(name)?.[1];
      return version === undefined ? [] : [parseStatement(Number(version), readFileSync(join(folder, name), 'utf8'))];
    });
}
