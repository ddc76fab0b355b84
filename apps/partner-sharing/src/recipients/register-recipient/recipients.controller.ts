import { Body, Controller, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Roles } from '@castiron/access';
import { RECIPIENT_KINDS, SLUG_PATTERN, type RecipientKind } from '@castiron/contracts';
import { because, CanBeLeftOut, IsLine } from '@castiron/service';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsString, Matches, ValidateNested } from 'class-validator';
import type { Recipient } from '../recipient.table.js';
import { RegisterRecipientUseCase } from './register-recipient.use-case.js';

const P8 = because({ promise: 'P8' });

class PurposeOfRecipient {
  @ApiProperty({ example: 'recommendation' })
  @IsString(P8)
  purpose!: string;

  @ApiProperty({ type: [String], example: ['companyName'] })
  @IsArray(P8)
  @ArrayMaxSize(50, P8)
  @IsString({ each: true, ...P8 })
  attributes!: string[];
}

class NewRecipient {
  @ApiProperty({ pattern: SLUG_PATTERN })
  @Matches(new RegExp(SLUG_PATTERN), because({ code: 'invalid-slug', promise: 'P8' }))
  slug!: string;

  @ApiProperty({ description: 'The public name, shown to customers' })
  @IsLine(200, P8)
  name!: string;

  @ApiProperty({ enum: RECIPIENT_KINDS })
  @IsIn([...RECIPIENT_KINDS], P8)
  kind!: RecipientKind;

  @ApiProperty({ type: [PurposeOfRecipient], required: false, description: 'Internal recipients only' })
  @CanBeLeftOut()
  @IsArray(P8)
  @ArrayMaxSize(50, P8)
  @ValidateNested({ each: true })
  @Type(() => PurposeOfRecipient)
  purposes?: PurposeOfRecipient[];
}

@ApiTags('recipients')
@ApiBearerAuth()
@Controller('recipients')
@Roles('privacy-officer')
export class RegisterRecipientController {
  constructor(@Inject(RegisterRecipientUseCase) private readonly recipients: RegisterRecipientUseCase) {}

  /** Registers a partner or an internal service, and makes its topics and rights on the broker. */
  @Post()
  register(@Body() recipient: NewRecipient): Promise<Recipient> {
    return this.recipients.register(recipient);
  }
}
