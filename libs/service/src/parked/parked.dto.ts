import { ArrayMaxSize, ArrayMinSize, IsArray, IsBoolean, IsIn, Matches } from 'class-validator';
import type { ParkedState, Selection } from '@castiron/inbox';
import { CanBeLeftOut } from '../http/can-be-left-out.js';
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
  @CanBeLeftOut()
  @Matches(NAME)
  topic?: string;

  @CanBeLeftOut()
  @Matches(NAME)
  type?: string;

  @CanBeLeftOut()
  @Matches(NAME)
  reason?: string;
}

export class ListDto extends SelectionDto {
  @CanBeLeftOut()
  @IsIn(STATES)
  state?: ParkedState;

  @CanBeLeftOut()
  @Matches(NUMBER)
  after?: string;

  /** 100 unless told, 500 at most. */
  @CanBeLeftOut()
  @Matches(PAGE)
  limit?: string;
}

export class ActionsDto {
  @CanBeLeftOut()
  @Matches(NUMBER)
  message?: string;

  @CanBeLeftOut()
  @Matches(NUMBER)
  after?: string;

  @CanBeLeftOut()
  @Matches(PAGE)
  limit?: string;
}

export class MessageDto {
  @Matches(NUMBER)
  id!: string;
}

class ChoiceDto extends SelectionDto {
  @CanBeLeftOut()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_IDS)
  @Matches(NUMBER, { each: true })
  ids?: string[];
}

export class ReplayDto extends ChoiceDto {
  /** True unless told: says what would become of each message, and changes nothing. */
  @CanBeLeftOut()
  @IsBoolean()
  dryRun?: boolean;

  /** Goes on where a replay ended that said there are more: its `after`. */
  @CanBeLeftOut()
  @Matches(CURSOR)
  after?: string;
}

export class DiscardDto extends ChoiceDto {
  /** True unless told: says which messages these are, and changes nothing. */
  @CanBeLeftOut()
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
