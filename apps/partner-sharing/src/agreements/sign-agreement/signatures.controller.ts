import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, hasRole, Roles, type Caller } from '@castiron/access';
import { because } from '@castiron/service';
import { IsIn, IsString, Length, Matches } from 'class-validator';
import { AgreementIdPipe } from '../agreement-id.pipe.js';
import { SIDES, viewOf, type AgreementView, type Side } from '../agreement.table.js';
import { SignAgreementUseCase } from './sign-agreement.use-case.js';

const P8 = because({ promise: 'P8' });
const SINGLE_LINE = /^[^\r\n\t]*\S[^\r\n\t]*$/;
const OK = 200;

class SignatureOfSide {
  @ApiProperty({ enum: SIDES })
  @IsIn([...SIDES], P8)
  side!: Side;

  @ApiProperty({ description: 'Who signs' })
  @IsString(P8)
  @Length(1, 200, P8)
  @Matches(SINGLE_LINE, P8)
  name!: string;

  @ApiProperty({ description: 'In which role' })
  @IsString(P8)
  @Length(1, 200, P8)
  @Matches(SINGLE_LINE, P8)
  role!: string;
}

@ApiTags('agreements')
@ApiBearerAuth()
@Controller('agreements/:id/signatures')
@Roles('privacy-officer', 'partner')
export class SignaturesController {
  constructor(@Inject(SignAgreementUseCase) private readonly agreements: SignAgreementUseCase) {}

  /** The privacy officer signs for the company, the partner for itself; both signatures put it into force. */
  @Post()
  @HttpCode(OK)
  async sign(
    @Param('id', AgreementIdPipe) id: string,
    @Body() signature: SignatureOfSide,
    @CurrentCaller() caller: Caller,
  ): Promise<AgreementView> {
    const isPrivacyOfficer = hasRole(caller, 'privacy-officer');
    const isPartner = hasRole(caller, 'partner');
    return viewOf(await this.agreements.sign(id, signature, { sub: caller.sub, isPrivacyOfficer, isPartner }));
  }
}
