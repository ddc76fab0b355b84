import {
  checkpointSigned,
  decodeMessage,
  newEventId,
  sharingCheckpoints,
  type DataOf,
  type RawMessage,
} from '@castiron/contracts';
import { readAll, type Kafka } from '@castiron/kafka';
import { noteVerifier, openCheckpoint, type NoteSigner } from '@castiron/ledger';
import type { DataSource } from 'typeorm';
import { isDisowned, type SignedHead } from '../ledger/checkpoint.table.js';
import { growTreeTo, rootAt } from '../ledger/grow-tree.js';

/** A start looks at so many of the last heads; one after the other repeats what those before it said. */
const LAST = 20;

/** The head that a message publishes; undefined where it is of another log, or not signed with our key. */
export function headOf(message: RawMessage, signer: NoteSigner): SignedHead | undefined {
  const decoded = decodeMessage(message, [checkpointSigned]);
  if (!decoded.ok || decoded.event.key !== signer.name || decoded.event.data === null) return undefined;
  const { checkpoint: note } = decoded.event.data as DataOf<typeof checkpointSigned>;
  try {
    return { ...openCheckpoint(Buffer.from(note), noteVerifier(signer.verifierKey)), note };
  } catch {
    return undefined;
  }
}

/**
 * Whether the ledger is what was published of it, or goes on from that (G13): recomputed at the size of the head that was
 * published last, its tree has that root.
 * @returns what is wrong, in a sentence; undefined where nothing is
 * @throws where the topic cannot be read
 */
export async function ledgerBehind(
  { dataSource, kafka }: { readonly dataSource: DataSource; readonly kafka: Kafka },
  signer: NoteSigner,
): Promise<string | undefined> {
  const heads: SignedHead[] = [];
  const groupId = `partner-sharing.restore-${newEventId()}`;
  for await (const message of readAll(kafka, sharingCheckpoints.name, { groupId, last: LAST })) {
    const head = headOf(message, signer);
    if (head !== undefined && !(await isDisowned(dataSource.manager, head))) heads.push(head);
  }
  const largest = heads.reduce<SignedHead | undefined>(
    (a, b) => (a !== undefined && a.size >= b.size ? a : b),
    undefined,
  );
  if (largest === undefined || largest.size === 0) return undefined;
  const { size, root } = largest;
  return dataSource.transaction(async (manager) => {
    const [head]: { size: string }[] = await manager.query('SELECT size FROM ledger_head');
    if (Number(head?.size) < size) return `the ledger has ${Number(head?.size)} entries, and ${size} were signed`;
    await growTreeTo(manager, size);
    return (await rootAt(manager, size)).equals(root)
      ? undefined
      : `the first ${size} entries of the ledger are not those that were signed`;
  });
}
