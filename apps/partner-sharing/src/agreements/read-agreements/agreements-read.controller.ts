import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, hasRole, Roles, type Caller } from '@castiron/access';
import { UuidPipe } from '@castiron/service';
import { DataSource } from 'typeorm';
import { agreementOf, allAgreements, noSuchAgreement, viewOf, type AgreementView } from '../agreement.table.js';

const STAFF = ['support', 'privacy-officer', 'auditor'] as const;

@ApiTags('agreements')
@ApiBearerAuth()
@Controller('agreements')
@Roles(...STAFF, 'partner')
export class ReadAgreementsController {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  /** All agreements; a partner sees its own. */
  @Get()
  @ApiQuery({ name: 'recipient', required: false })
  async all(
    @CurrentCaller() caller: Caller,
    @Query('recipient') recipient?: string,
  ): Promise<{ agreements: readonly AgreementView[] }> {
    const of = hasRole(caller, ...STAFF) ? recipient : caller.sub;
    return { agreements: (await allAgreements(this.dataSource.manager, of)).map(viewOf) };
  }

  /** One agreement; another's looks to a partner like none. */
  @Get(':id')
  async one(@Param('id', UuidPipe) id: string, @CurrentCaller() caller: Caller): Promise<AgreementView> {
    const agreement = await agreementOf(this.dataSource.manager, id);
    if (!hasRole(caller, ...STAFF) && agreement.recipient !== caller.sub) throw noSuchAgreement();
    return viewOf(agreement);
  }
}
