import type { EntityManager } from 'typeorm';

/** A version of the privacy statement (P17). Once published it never changes. */
export interface Statement {
  readonly version: number;
  readonly effectiveFrom: Date;
  /** Of the text, hexadecimal: evidence of what a customer was shown. */
  readonly sha256: string;
  readonly text: string;
}

interface Row {
  readonly version: number;
  readonly effective_from: Date;
  readonly sha256: string;
  readonly text: string;
}

const statementOf = (row: Row | undefined): Statement | undefined =>
  row && { version: row.version, effectiveFrom: row.effective_from, sha256: row.sha256, text: row.text };

export async function readStatement(manager: EntityManager, version: number): Promise<Statement | undefined> {
  const rows: Row[] = await manager.query(`SELECT * FROM statements WHERE version = $1`, [version]);
  return statementOf(rows[0]);
}

/** The statement in effect at this time. */
export async function readStatementInEffect(manager: EntityManager, at: Date): Promise<Statement | undefined> {
  const rows: Row[] = await manager.query(
    `SELECT * FROM statements WHERE effective_from <= $1 ORDER BY version DESC LIMIT 1`,
    [at],
  );
  return statementOf(rows[0]);
}

/** The version in effect; every service start loads the first one, so there always is one. */
export async function versionInEffect(manager: EntityManager, at: Date): Promise<number> {
  const rows: { version: number }[] = await manager.query(
    `SELECT version FROM statements WHERE effective_from <= $1 ORDER BY version DESC LIMIT 1`,
    [at],
  );
  if (rows[0] === undefined) throw new Error('no statement is in effect');
  return rows[0].version;
}

/** @returns false where this version is there already */
export async function insertStatement(manager: EntityManager, statement: Statement): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    `INSERT INTO statements (version, effective_from, sha256, text) VALUES ($1, $2, $3, $4)
     ON CONFLICT (version) DO NOTHING RETURNING version`,
    [statement.version, statement.effectiveFrom, statement.sha256, statement.text],
  );
  return rows.length === 1;
}
