import type { TreeHead } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';

/** A head of the tree, and the note that says so. */
export interface SignedHead extends TreeHead {
  /** C2SP tlog-checkpoint. */
  readonly note: string;
}

/** The head that was signed last; undefined before the first. */
export async function lastSigned(manager: EntityManager): Promise<SignedHead | undefined> {
  const rows: { size: string; root: Buffer; note: string }[] = await manager.query(
    'SELECT size, root, note FROM ledger_checkpoints ORDER BY size DESC LIMIT 1',
  );
  return rows.map(({ size, root, note }) => ({ size: Number(size), root, note }))[0];
}

export async function keepSigned(manager: EntityManager, { size, root, note }: SignedHead): Promise<void> {
  await manager.query('INSERT INTO ledger_checkpoints (size, root, note) VALUES ($1, $2, $3)', [size, root, note]);
}

/** A head with our signature that is of another tree, for good: others may remember it. */
export async function disown(manager: EntityManager, { size, root }: TreeHead): Promise<void> {
  await manager.query('INSERT INTO ledger_heads_disowned (size, root) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    size,
    root,
  ]);
}

export async function isDisowned(manager: EntityManager, { size, root }: TreeHead): Promise<boolean> {
  const rows: unknown[] = await manager.query('SELECT FROM ledger_heads_disowned WHERE size = $1 AND root = $2', [
    size,
    root,
  ]);
  return rows.length > 0;
}
