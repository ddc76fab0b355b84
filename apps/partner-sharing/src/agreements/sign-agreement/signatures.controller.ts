import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, hasRole, Roles, type Caller } from '@castiron/access';
import { because, IsLine, UuidPipe } from '@castiron/service';
import { IsIn } from 'class-validator';
import { SIDES, viewOf, type AgreementView, type Side } from '../agreement.table.js';
import { SignAgreementUseCase } from './sign-agreement.use-case.js';

const P8 = because({ promise: 'P8' });
const OK = 200;

class SignatureOfSide {
  @ApiProperty({ enum: SIDES })
  @IsIn([...SIDES], P8)
  side!: Side;

  @ApiProperty({ description: 'Who signs' })
  @IsLine(200, P8)
  name!: string;

  @ApiProperty({ description: 'In which role' })
  @IsLine(200, P8)
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
    @Param('id', UuidPipe) id: string,
    @Body() signature: SignatureOfSide,
    @CurrentCaller() caller: Caller,
  ): Promise<AgreementView> {
    const isPrivacyOfficer = hasRole(caller, 'privacy-officer');
    const isPartner = hasRole(caller, 'partner');
    return viewOf(await this.agreements.sign(id, signature, { sub: caller.sub, isPrivacyOfficer, isPartner }));
  }
}
