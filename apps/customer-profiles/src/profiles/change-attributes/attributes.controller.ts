import { Body, Controller, Delete, Headers, Inject, Param, Patch, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiHeader, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, mustBe, Roles, type Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { etagOf, ifMatchOf, OnlyTakesAway, UuidPipe } from '@castiron/service';
import { ChangeAttributesUseCase } from './change-attributes.use-case.js';

class Changed {
  @ApiProperty({ format: 'uuid' })
  customer!: string;

  @ApiProperty({ minimum: 1 })
  version!: number;

  @ApiPropertyOptional({
    format: 'uuid',
    description: 'Where something was withdrawn: done once no feed can get it any more',
  })
  command?: string;

  @ApiPropertyOptional({ description: 'Where to ask how far that is' })
  poll?: string;
}

interface Reply {
  header(name: string, value: string): unknown;
  status(code: number): unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const onlyWithdraws = (changes: unknown): boolean =>
  isObject(changes) && Object.values(changes).every((value) => value === null);

@ApiTags('customers')
@ApiBearerAuth()
@ApiHeader({ name: 'If-Match', required: true, description: 'The ETag of the version that is changed' })
@Controller('customers/:customer/attributes')
@Roles('customer', 'support', 'privacy-officer')
export class AttributesController {
  constructor(@Inject(ChangeAttributesUseCase) private readonly attributes: ChangeAttributesUseCase) {}

  /**
   * Changes and adds attributes; null withdraws one. A compulsory attribute cannot be withdrawn (P1).
   * 202 where something is withdrawn: recipients are told, and the command is `done` once no feed can get it any more.
   */
  @Patch()
  @OnlyTakesAway(onlyWithdraws)
  @ApiBody({ schema: { type: 'object', additionalProperties: { type: 'string', nullable: true } } })
  change(
    @Param('customer', UuidPipe) customer: string,
    @Body() changes: unknown,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<Changed> {
    if (!isObject(changes)) {
      throw new Refused({
        kind: 'invalid',
        code: 'body-not-an-object',
        detail: 'Attributes are changed by name.',
        field: 'body',
      });
    }
    return this.apply(customer, changes, ifMatch, caller, reply);
  }

  /** Withdraws one voluntary attribute (P1); withdrawing what is not there changes nothing. */
  @Delete(':name')
  @OnlyTakesAway()
  withdraw(
    @Param('customer', UuidPipe) customer: string,
    @Param('name') name: string,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<Changed> {
    return this.apply(customer, { [name]: null }, ifMatch, caller, reply);
  }

  private async apply(
    customer: string,
    changes: Record<string, unknown>,
    ifMatch: string | undefined,
    caller: Caller,
    reply: Reply,
  ): Promise<Changed> {
    mustBe(caller, customer);
    const changed = await this.attributes.change(customer, ifMatchOf(ifMatch), changes);
    reply.header('etag', etagOf(changed.version));
    const { version, command } = changed;
    if (command === undefined) return { customer, version };
    reply.status(202);
    return { customer, version, command: command.id, poll: `/commands/${command.id}` };
  }
}
