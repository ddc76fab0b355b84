import { Body, Controller, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { Roles } from '@castiron/access';
import { SLUG_PATTERN, TIERS, type Tier } from '@castiron/contracts';
import { answerWithEffect, because, CanBeLeftOut, IsInstant } from '@castiron/service';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsDefined,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { DAYS_TO_DELETE, MOST_DAYS_TO_DELETE } from '../../obligations/days-to-delete.js';
import { viewOf, type AgreementView } from '../agreement.table.js';
import { DraftAgreementUseCase } from './draft-agreement.use-case.js';

const P8 = because({ promise: 'P8' });

class PurposeOfAgreement {
  @ApiProperty({ example: 'service-delivery' })
  @IsString(P8)
  purpose!: string;

  @ApiProperty({ type: [String], example: ['companyName', 'servicesUsed'] })
  @IsArray(P8)
  @ArrayMinSize(1, P8)
  @ArrayMaxSize(50, P8)
  @IsString({ each: true, ...P8 })
  attributes!: string[];

  @ApiProperty({ enum: ['permission', 'cooperation'] })
  @IsIn(['permission', 'cooperation'], because({ promise: 'P13' }))
  ground!: 'permission' | 'cooperation';
}

class TermsOfAgreement {
  @ApiProperty({ type: [PurposeOfAgreement] })
  @IsArray(P8)
  @ArrayMinSize(1, P8)
  @ArrayMaxSize(50, P8)
  @ValidateNested({ each: true })
  @Type(() => PurposeOfAgreement)
  purposes!: PurposeOfAgreement[];

  @ApiProperty({ enum: TIERS })
  @IsIn([...TIERS], because({ promise: 'P7' }))
  highestTier!: Tier;

  @ApiProperty({ format: 'date-time' })
  @IsInstant(P8)
  from!: string;

  @ApiProperty({ format: 'date-time' })
  @IsInstant(P8)
  until!: string;

  @ApiPropertyOptional({
    minimum: 1,
    maximum: MOST_DAYS_TO_DELETE,
    default: DAYS_TO_DELETE,
    description: 'How long the partner has to delete what is withdrawn, and to confirm',
  })
  @CanBeLeftOut()
  @IsInt(P8)
  @Min(1, P8)
  @Max(MOST_DAYS_TO_DELETE, P8)
  daysToDelete?: number;
}

class NewAgreement {
  @ApiProperty({ pattern: SLUG_PATTERN })
  @Matches(new RegExp(SLUG_PATTERN), P8)
  recipient!: string;

  @ApiProperty({ type: TermsOfAgreement })
  @IsDefined(P8)
  @IsObject(P8)
  @ValidateNested()
  @Type(() => TermsOfAgreement)
  terms!: TermsOfAgreement;
}

@ApiTags('agreements')
@ApiBearerAuth()
@Controller('agreements')
@Roles('privacy-officer')
export class DraftAgreementController {
  constructor(@Inject(DraftAgreementUseCase) private readonly agreements: DraftAgreementUseCase) {}

  /** Drafts an agreement of confidentiality: nothing flows until both sides have signed. */
  @Post()
  async draft(@Body() { recipient, terms }: NewAgreement): Promise<AgreementView> {
    const { from, until } = terms;
    const drafted = await this.agreements.draft(
      recipient,
      { ...terms, from: new Date(from), until: new Date(until) },
      (manager, agreement) => answerWithEffect(manager, { status: 201, headers: {}, body: viewOf(agreement) }),
    );
    return viewOf(drafted);
  }
}
