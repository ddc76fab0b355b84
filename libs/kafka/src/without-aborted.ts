import { mend } from './mend.js';

interface Fetched {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

interface Given<Message extends Fetched> {
  readonly messages: readonly Message[];
  readonly abortedTransactions?: readonly AbortedTransaction[] | null;
}

/** The key of a marker: its version, and what it says; 0 is an abort. */
const saysAbort = ({ key, isControlRecord }: Fetched): boolean => isControlRecord && key?.readInt16BE(2) === 0;

/**
 * What a reader of committed records gets of a fetch. From the first offset of an aborted transaction on, what its producer
 * wrote in a transaction is left out, until the marker that ends it. A fetch may begin behind several first offsets.
 */
export function withoutAborted<Message extends Fetched>({ messages, abortedTransactions }: Given<Message>): Message[] {
  const toCome = [...(abortedTransactions ?? [])].sort((a, b) => Number(BigInt(a.firstOffset) - BigInt(b.firstOffset)));
  const aborting = new Set<string>();
  return messages.filter((message) => {
    for (
      let [next] = toCome;
      next !== undefined && BigInt(next.firstOffset) <= BigInt(message.offset);
      [next] = toCome
    ) {
      aborting.add(next.producerId);
      toCome.shift();
    }
    const { producerId, inTransaction } = message.batchContext;
    if (saysAbort(message)) aborting.delete(producerId);
    return message.isControlRecord || !inTransaction || !aborting.has(producerId);
  });
}

/**
 * kafkajs 2.2.4 takes for granted that a broker names aborted transactions by their first offsets; it does so by their ends. And
 * it takes in one of them with each message, however many have begun by then. So it hands out records of several
 * producers that were aborted.
 */
mend(withoutAborted, 'consumer/filterAbortedMessages.js', 'consumer/batch.js');
