import type { ReceivedEvent, statementPublished } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import { addStatement } from '../statement.table.js';

/** Keeps which versions there are; one that was published stays so, whatever becomes of its record (P17). */
export async function keepStatementWhenStatementPublished(
  { data }: ReceivedEvent<typeof statementPublished>,
  { manager }: Tx,
): Promise<void> {
  if (data !== null) await addStatement(manager, data.version);
}
