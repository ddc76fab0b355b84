import type { fenceStood, ReceivedEvent } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import { noteFence } from './command.table.js';

/** A command of ours is done as far as feeds go; of those that are not ours nothing is known. */
export async function noteFenceWhenFenceStood(
  { data }: ReceivedEvent<typeof fenceStood>,
  { manager }: Tx,
): Promise<void> {
  if (data !== null) await noteFence(manager, data.customer, data.command, new Date(data.at));
}
