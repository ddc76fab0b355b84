import { Body, Controller, Inject, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, hasRole, Roles, type Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { IsIn, IsString, Length, Matches } from 'class-validator';
import { DataSource } from 'typeorm';
import { agreementOf, SIDES, viewOf, type AgreementView, type Side } from '../agreement.table.js';
import { SignAgreementUseCase } from './sign-agreement.use-case.js';

const SINGLE_LINE = /^[^\r\n\t]*\S[^\r\n\t]*$/;

class NewSignature {
  @ApiProperty({ enum: SIDES })
  @IsIn([...SIDES])
  side!: Side;

  @ApiProperty({ description: 'Who signs' })
  @IsString()
  @Length(1, 200)
  @Matches(SINGLE_LINE)
  name!: string;

  @ApiProperty({ description: 'In which role' })
  @IsString()
  @Length(1, 200)
  @Matches(SINGLE_LINE)
  role!: string;
}

@ApiTags('agreements')
@ApiBearerAuth()
@Controller('agreements/:id/signatures')
@Roles('privacy-officer', 'partner')
export class SignaturesController {
  constructor(
    @Inject(SignAgreementUseCase) private readonly agreements: SignAgreementUseCase,
    @Inject(DataSource) private readonly dataSource: DataSource,
  ) {}

  /** The privacy officer signs for the company, the partner for itself; both signatures put it into force. */
  @Post()
  async sign(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() { side, name, role }: NewSignature,
    @CurrentCaller() caller: Caller,
  ): Promise<AgreementView> {
    const { recipient } = await agreementOf(this.dataSource.manager, id);
    const may = side === 'company' ? hasRole(caller, 'privacy-officer') : hasRole(caller, 'partner') && caller.sub === recipient;
    if (!may) throw new Refused({ kind: 'forbidden', code: 'not-your-side', detail: 'Each side signs for itself.', field: 'side' });
    return viewOf(await this.agreements.sign(id, { side, name, role, by: caller.sub }));
  }
}
