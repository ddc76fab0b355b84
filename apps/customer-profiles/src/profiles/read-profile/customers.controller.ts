import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, mustBe, Roles, type Caller } from '@castiron/access';
import { etagOf, UuidPipe } from '@castiron/service';
import { ReadProfileUseCase } from './read-profile.use-case.js';

class CustomerView {
  @ApiProperty({ format: 'uuid' })
  customer!: string;

  @ApiProperty({ minimum: 1 })
  version!: number;

  @ApiProperty()
  door!: string;

  @ApiProperty({ type: [String] })
  purposes!: readonly string[];

  @ApiProperty({ enum: ['registered', 'imported'] })
  origin!: string;

  @ApiProperty()
  statementVersion!: number;

  @ApiProperty({ format: 'date-time' })
  registeredAt!: string;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  attributes!: Record<string, string>;
}

interface Reply {
  header(name: string, value: string): unknown;
}

@ApiTags('customers')
@ApiBearerAuth()
@Controller('customers')
@Roles('customer', 'support', 'privacy-officer')
export class CustomersController {
  constructor(@Inject(ReadProfileUseCase) private readonly profiles: ReadProfileUseCase) {}

  @Get(':customer')
  async read(
    @Param('customer', UuidPipe) customer: string,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<CustomerView> {
    mustBe(caller, customer);
    const { values, ...facts } = await this.profiles.read(customer);
    reply.header('etag', etagOf(facts.version));
    reply.header('cache-control', 'no-store');
    return { ...facts, registeredAt: facts.registeredAt.toISOString(), attributes: Object.fromEntries(values) };
  }
}
