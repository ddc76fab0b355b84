import { Body, Controller, Inject, Param, ParseUUIDPipe, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Roles } from '@castiron/access';
import { IsString, Length } from 'class-validator';
import { DataSource } from 'typeorm';
import { answerBehindFence } from '../../fence/answer-behind-fence.js';
import { Fence } from '../../fence/fence.js';
import { agreementOf, viewOf, type AgreementView } from '../agreement.table.js';
import { TerminateAgreementUseCase } from './terminate-agreement.use-case.js';

class Termination {
  @ApiProperty()
  @IsString()
  @Length(1, 500)
  reason!: string;
}

interface Reply {
  status(code: number): unknown;
}

@ApiTags('agreements')
@ApiBearerAuth()
@Controller('agreements/:id/termination')
@Roles('privacy-officer')
export class TerminationController {
  constructor(
    @Inject(TerminateAgreementUseCase) private readonly agreements: TerminateAgreementUseCase,
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Fence) private readonly fence: Fence,
  ) {}

  /** 200 once nothing decided under the agreement can get onto the feed any more; 202 where that takes longer. */
  @Post()
  async terminate(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() { reason }: Termination,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<AgreementView & { command: string; poll?: string }> {
    const { status, ...fenced } = await answerBehindFence(this.dataSource, this.fence, await this.agreements.terminate(id, reason));
    reply.status(status);
    return { ...viewOf(await agreementOf(this.dataSource.manager, id)), ...fenced };
  }
}
