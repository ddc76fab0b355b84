import type { Transactions } from '@castiron/transactions';
import { orderOfStatement, publications } from '../../publications.js';
import { insertStatement, readStatement, type Statement } from '../statement.table.js';

const { statementPublished } = publications;

/**
 * Stores and publishes each statement that is new here; safe with many replicas starting at once.
 * @throws Error where a statement differs from the one published under its number: it would alter silently (P17)
 */
export async function loadStatements(transactions: Transactions, statements: readonly Statement[]): Promise<void> {
  for (const statement of statements) {
    await transactions.run([orderOfStatement(statement.version)], async (tx) => {
      if (await insertStatement(tx.manager, statement)) {
        tx.publish(statementPublished, {
          version: statement.version,
          effectiveFrom: statement.effectiveFrom.toISOString(),
          sha256: statement.sha256,
        });
        return;
      }
      const published = await readStatement(tx.manager, statement.version);
      if (published?.sha256 !== statement.sha256) {
        throw new Error(`statement ${statement.version} was published with another text: make a new version`);
      }
    });
  }
}
