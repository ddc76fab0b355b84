import { Body, Controller, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, hasRole, Roles, type Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { because, IsText, OnlyTakesAway, UuidPipe } from '@castiron/service';
import { DataSource } from 'typeorm';
import { answerBehindFence, type FencedAnswer, type Reply } from '../../fence/answer-behind-fence.js';
import { Fence } from '../../fence/fence.js';
import { agreementOf, viewOf, type AgreementView } from '../agreement.table.js';
import { TerminateAgreementUseCase } from './terminate-agreement.use-case.js';

const P8 = because({ promise: 'P8' });

class Termination {
  @ApiProperty({ description: 'Why; no personal data' })
  @IsText(500, P8)
  reason!: string;
}

@ApiTags('agreements')
@ApiBearerAuth()
@Controller('agreements/:id/termination')
@Roles('privacy-officer', 'partner')
export class TerminationController {
  constructor(
    @Inject(TerminateAgreementUseCase) private readonly agreements: TerminateAgreementUseCase,
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Fence) private readonly fence: Fence,
  ) {}

  /**
   * Either side ends it. 200 once nothing decided under the agreement can get onto the feed any more; 202 where that
   * takes longer.
   */
  @Post()
  @OnlyTakesAway()
  async terminate(
    @Param('id', UuidPipe) id: string,
    @Body() { reason }: Termination,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<AgreementView & FencedAnswer> {
    const { recipient } = await agreementOf(this.dataSource.manager, id);
    if (!hasRole(caller, 'privacy-officer') && caller.sub !== recipient) {
      throw new Refused({
        kind: 'forbidden',
        code: 'not-your-agreement',
        detail: 'A partner ends its own agreement only.',
      });
    }
    const command = await this.agreements.terminate(id, reason);
    const fenced = await answerBehindFence(this.dataSource, this.fence, command, reply);
    return { ...viewOf(await agreementOf(this.dataSource.manager, id)), ...fenced };
  }
}
