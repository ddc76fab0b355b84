import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { CommandState } from './command.table.js';

/** How far a command is that takes something away. */
export class CommandView {
  @ApiProperty({ format: 'uuid' })
  command!: string;

  @ApiProperty({ enum: ['withdrawal', 'erasure'] })
  kind!: string;

  @ApiProperty({ enum: ['waiting', 'done'] })
  state!: 'waiting' | 'done';

  @ApiProperty({ format: 'date-time' })
  askedAt!: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Nothing of it can get onto a feed any more' })
  fenceStoodAt?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'The keys that opened what was kept of the customer are gone',
  })
  keysDestroyedAt?: string;
}

export const isDone = ({ kind, fenceStoodAt, keysDestroyedAt }: CommandState): boolean =>
  fenceStoodAt !== null && (kind !== 'erasure' || keysDestroyedAt !== null);

export function viewOf(command: CommandState): CommandView {
  const { id, kind, askedAt, fenceStoodAt, keysDestroyedAt } = command;
  return {
    command: id,
    kind,
    state: isDone(command) ? 'done' : 'waiting',
    askedAt: askedAt.toISOString(),
    ...(fenceStoodAt !== null && { fenceStoodAt: fenceStoodAt.toISOString() }),
    ...(keysDestroyedAt !== null && { keysDestroyedAt: keysDestroyedAt.toISOString() }),
  };
}
