import type { EntityManager } from 'typeorm';

export async function addStatement(manager: EntityManager, version: number): Promise<void> {
  await manager.query('INSERT INTO statements (version) VALUES ($1) ON CONFLICT DO NOTHING', [version]);
}

/** The newest version of the privacy statement that was published; 0 before the first has arrived here. */
export async function newestStatement(manager: EntityManager): Promise<number> {
  const rows: { newest: number }[] = await manager.query('SELECT coalesce(max(version), 0) AS newest FROM statements');
  return rows[0]?.newest ?? 0;
}
