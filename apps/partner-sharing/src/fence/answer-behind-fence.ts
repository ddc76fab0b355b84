import type { DataSource } from 'typeorm';
import { markDone, type Command } from '../commands/command.table.js';
import type { Fence } from './fence.js';

/** What the answer to a revocation says beside its subject: the command, and where to ask while it is not done. */
export interface FencedAnswer {
  readonly command: string;
  readonly poll?: string;
}

/** As much of an HTTP reply as is needed here. */
export interface Reply {
  status(code: number): unknown;
}

/** Answers a committed revocation: 200 once the fence stands, 202 and a place to poll where it does not in time. */
export async function answerBehindFence(
  dataSource: DataSource,
  fence: Fence,
  command: Command,
  reply: Reply,
): Promise<FencedAnswer> {
  if (!(await fence.wait(command))) {
    reply.status(202);
    return { command: command.id, poll: `/commands/${command.id}` };
  }
  await markDone(dataSource.manager, command.id);
  reply.status(200);
  return { command: command.id };
}
