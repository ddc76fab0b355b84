import type { DataSource } from 'typeorm';
import { markDone, type Command } from '../commands/command.table.js';
import type { Fence } from './fence.js';

/** Answered 200 where the fence stands, else 202 with where to ask. */
export interface FencedAnswer {
  readonly status: 200 | 202;
  readonly command: string;
  readonly poll?: string;
}

/** Waits for the fence of a committed revocation. */
export async function answerBehindFence(dataSource: DataSource, fence: Fence, command: Command): Promise<FencedAnswer> {
  if (!(await fence.wait(command))) return { status: 202, command: command.id, poll: `/commands/${command.id}` };
  await markDone(dataSource.manager, command.id);
  return { status: 200, command: command.id };
}
