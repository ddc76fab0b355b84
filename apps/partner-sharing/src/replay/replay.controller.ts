import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Roles } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { UuidPipe } from '@castiron/service';
import { ReplayEntry, type Replay } from './replay-entry.query.js';

/** Whether a disclosure had the ground that its entry names (P10): decided again, on the facts of then. */
@ApiTags('ledger')
@ApiBearerAuth()
@Controller('ledger/entries')
@Roles('privacy-officer', 'auditor')
export class ReplayController {
  constructor(@Inject(ReplayEntry) private readonly replaying: ReplayEntry) {}

  @Get(':entry/replay')
  @ApiOperation({ summary: 'An entry of the ledger, decided again' })
  async replay(@Param('entry', UuidPipe) entry: string): Promise<Replay> {
    const replay = await this.replaying.of(entry);
    if (replay !== undefined) return replay;
    throw new Refused({ kind: 'not-found', code: 'no-such-entry', detail: 'The ledger has no entry with this id.' });
  }
}
