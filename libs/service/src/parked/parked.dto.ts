import { ArrayMaxSize, ArrayMinSize, IsArray, IsBoolean, IsIn, IsOptional, Matches } from 'class-validator';
import type { ParkedState, Selection } from '@castiron/inbox';
import { IsLine } from '../http/text-fields.js';

/** A row's number in a database: 64 bits. */
const NUMBER = /^(?=.{1,18}$)\d+$/;
const CURSOR = /^\d{1,18}(-\d{1,18})?$/;
const NAME = /^[a-z0-9][a-z0-9._-]{0,199}$/;
const MOST_IDS = 500;
const STATES: readonly ParkedState[] = ['parked', 'handled', 'discarded'];
const PAGE = /^([1-9]\d?|[1-4]\d\d|500)$/;

/** Which messages: all that fit every field given. */
class SelectionDto {
  @IsOptional()
  @Matches(NAME)
  topic?: string;

  @IsOptional()
  @Matches(NAME)
  type?: string;

  @IsOptional()
  @Matches(NAME)
  reason?: string;
}

export class ListDto extends SelectionDto {
  @IsOptional()
  @IsIn(STATES)
  state?: ParkedState;

  @IsOptional()
  @Matches(NUMBER)
  after?: string;

  /** 100 unless told, 500 at most. */
  @IsOptional()
  @Matches(PAGE)
  limit?: string;
}

export class ActionsDto {
  @IsOptional()
  @Matches(NUMBER)
  message?: string;

  @IsOptional()
  @Matches(NUMBER)
  after?: string;

  @IsOptional()
  @Matches(PAGE)
  limit?: string;
}

export class MessageDto {
  @Matches(NUMBER)
  id!: string;
}

class ChoiceDto extends SelectionDto {
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_IDS)
  @Matches(NUMBER, { each: true })
  ids?: string[];
}

export class ReplayDto extends ChoiceDto {
  /** True unless told: says what would become of each message, and changes nothing. */
  @IsOptional()
  @IsBoolean()
  dryRun?: boolean;

  /** Goes on where a replay ended that said there are more: its `after`. */
  @IsOptional()
  @Matches(CURSOR)
  after?: string;
}

export class DiscardDto extends ChoiceDto {
  /** True unless told: says which messages these are, and changes nothing. */
  @IsOptional()
  @IsBoolean()
  dryRun?: boolean;

  /** Why, in a sentence without personal data: it is kept for good. */
  @IsLine(300)
  why!: string;
}

export const selectionOf = ({ ids, topic, type, reason }: ChoiceDto): Selection => ({
  ...(ids !== undefined && { ids }),
  ...(topic !== undefined && { topic }),
  ...(type !== undefined && { type }),
  ...(reason !== undefined && { reason }),
});
