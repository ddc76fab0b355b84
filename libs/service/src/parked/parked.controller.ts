import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, Roles, type Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import type { ActionRecord, Cause, Discard, Parked, ParkedMessage, ParkedRow, Replay } from '@castiron/inbox';
import { runPatiently } from '../database/patience.js';
import { StandsStillWhileFenced } from '../restore/restore-fence.js';
import { OnlyTakesAway } from '../room/takes-away.js';
import { ActionsDto, DiscardDto, ListDto, MessageDto, ReplayDto, selectionOf } from './parked.dto.js';

/** Gives what the service's inbox parked. */
export const PARKED = Symbol('castiron:parked');
export type ParkedOf = () => Parked | undefined;

const PAGE = 100;

const pageOf = ({ after, limit }: { after?: string; limit?: string }) => ({
  limit: Number(limit ?? PAGE),
  ...(after !== undefined && { after }),
});

/**
 * Messages that the service could not handle. A privacy officer's business, for among them may be erasures and
 * revocations: to discard one is to decide about a customer. An auditor sees what there is and what was done.
 */
@ApiTags('parked messages')
@ApiBearerAuth()
@Controller('parked-messages')
@Roles('privacy-officer')
export class ParkedController {
  constructor(@Inject(PARKED) private readonly parkedOf: ParkedOf) {}

  @Get()
  @Roles('privacy-officer', 'auditor')
  @ApiOperation({ summary: 'A page of parked messages, oldest first, without their content' })
  async list(@Query() query: ListDto): Promise<{ messages: readonly ParkedRow[] }> {
    const { state = 'parked', ...rest } = query;
    return { messages: await this.parked.list(state, selectionOf(rest), pageOf(rest)) };
  }

  @Get('causes')
  @Roles('privacy-officer', 'auditor')
  @ApiOperation({ summary: 'What is parked now, by topic, type and reason' })
  async causes(): Promise<{ causes: readonly Cause[] }> {
    return { causes: await this.parked.causes() };
  }

  @Get('actions')
  @Roles('privacy-officer', 'auditor')
  @ApiOperation({ summary: 'Who did what with parked messages, oldest first' })
  async actions(@Query() query: ActionsDto): Promise<{ actions: readonly ActionRecord[] }> {
    return { actions: await this.parked.actions(query.message, pageOf(query)) };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One message: sizes, kinds and hashes of its parts, and what of it is about no person' })
  async show(@Param() { id }: MessageDto, @CurrentCaller() caller: Caller): Promise<ParkedMessage> {
    const message = await this.parked.show(id, caller.sub);
    if (message === undefined) {
      throw new Refused({ kind: 'not-found', code: 'no-such-message', detail: 'No such message was parked here.' });
    }
    return message;
  }

  @Post('replays')
  // What a replay adds is weighed event by event; most of what is parked may be there to take something away.
  @OnlyTakesAway()
  @StandsStillWhileFenced()
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Handles messages again, with what waits behind them, in order; unless dryRun is false, only says what would be',
  })
  replay(@Body() body: ReplayDto, @CurrentCaller() caller: Caller): Promise<Replay> {
    return runPatiently(() => this.parked.replay(chosen(body), body.dryRun ?? true, caller.sub, body.after));
  }

  @Post('discards')
  @OnlyTakesAway()
  @StandsStillWhileFenced()
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Gives messages up for good, and what waits behind them goes on waiting; unless dryRun is false, only says which',
  })
  discard(@Body() body: DiscardDto, @CurrentCaller() caller: Caller): Promise<Discard> {
    return runPatiently(() => this.parked.discard(chosen(body), body.dryRun ?? true, body.why, caller.sub));
  }

  private get parked(): Parked {
    const parked = this.parkedOf();
    if (parked === undefined) {
      throw new Refused({ kind: 'unavailable', code: 'starting', detail: 'The service is starting; try again.' });
    }
    return parked;
  }
}

/** An act on everything there is must not be what a forgotten field comes to. */
function chosen(body: ReplayDto | DiscardDto): ReturnType<typeof selectionOf> {
  const selection = selectionOf(body);
  if (Object.keys(selection).length > 0) return selection;
  throw new Refused({
    kind: 'invalid',
    code: 'nothing-chosen',
    field: 'ids',
    detail: 'Say which messages: ids, topic, type or reason.',
  });
}
