import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiPropertyOptional, ApiProperty, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, mustBe, Roles, type Caller } from '@castiron/access';
import { valueOf } from '@castiron/failures';
import { CanBeLeftOut, UuidPipe } from '@castiron/service';
import { Type } from 'class-transformer';
import { IsInt, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { MAX_DISCLOSURES, ReadDisclosures, type DisclosuresPage } from './disclosures/read-disclosures.query.js';
import { ExplainShare, type ShareExplanation } from './explain/explain-share.query.js';
import { ReadHoldings, type RecipientHoldings } from './holdings/read-holdings.query.js';

class ExplainQuery {
  @ApiProperty({ description: 'The recipient, by slug' })
  @IsString()
  @MaxLength(39)
  recipient!: string;

  @ApiProperty({ description: "The attribute, by the catalogue's name" })
  @IsString()
  @MaxLength(40)
  attribute!: string;
}

class DisclosuresQuery {
  @ApiPropertyOptional({ description: 'Entries before this ledger index' })
  @CanBeLeftOut()
  @Matches(/^[0-9]{1,18}$/)
  before?: string;

  @ApiPropertyOptional({ default: 50, maximum: MAX_DISCLOSURES })
  @CanBeLeftOut()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_DISCLOSURES)
  limit?: number;
}

/** What a customer can see about the sharing of their data (P8, P10). */
@ApiTags('customers')
@ApiBearerAuth()
@Controller('customers/:customer')
@Roles('customer', 'support', 'privacy-officer', 'auditor')
export class ReadingController {
  constructor(
    @Inject(ReadHoldings) private readonly holdings: ReadHoldings,
    @Inject(ReadDisclosures) private readonly disclosures: ReadDisclosures,
    @Inject(ExplainShare) private readonly explaining: ExplainShare,
  ) {}

  /** Who holds what now, and what each confirmed to have deleted. */
  @Get('holdings')
  async readHoldings(
    @Param('customer', UuidPipe) customer: string,
    @CurrentCaller() caller: Caller,
  ): Promise<{ holdings: readonly RecipientHoldings[] }> {
    mustBe(caller, customer);
    return { holdings: await this.holdings.of(customer) };
  }

  /** What was ever disclosed, newest first. */
  @Get('disclosures')
  readDisclosures(
    @Param('customer', UuidPipe) customer: string,
    @Query() query: DisclosuresQuery,
    @CurrentCaller() caller: Caller,
  ): Promise<DisclosuresPage> {
    mustBe(caller, customer);
    const before = query.before === undefined ? undefined : BigInt(query.before);
    return this.disclosures.of(customer, { before, limit: query.limit ?? 50 });
  }

  /** Why an attribute is, or is not, on a recipient's feed. */
  @Get('explain')
  async explain(
    @Param('customer', UuidPipe) customer: string,
    @Query() query: ExplainQuery,
    @CurrentCaller() caller: Caller,
  ): Promise<ShareExplanation> {
    mustBe(caller, customer);
    return valueOf(await this.explaining.of(customer, query.recipient, query.attribute));
  }
}
