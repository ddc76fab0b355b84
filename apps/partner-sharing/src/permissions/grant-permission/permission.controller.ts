import { Body, Controller, Inject, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, mustBe, Roles, services, type Caller } from '@castiron/access';
import { because, IsInstant, IsLine, UuidPipe } from '@castiron/service';
import { IsInt, Max, Min } from 'class-validator';
import { viewOf, type PermissionView } from '../permission.table.js';
import { GrantPermissionUseCase } from './grant-permission.use-case.js';

const P8 = because({ promise: 'P8' });

class EvidenceOfPermission {
  @ApiProperty({ example: 'ticked in the portal', description: 'The way it was given; never about the person' })
  @IsLine(200, P8)
  how!: string;

  @ApiProperty({ format: 'date-time' })
  @IsInstant(P8)
  givenAt!: string;

  @ApiProperty({ minimum: 1, description: 'The version of the statement it was given under' })
  @IsInt(P8)
  @Min(1, P8)
  @Max(1_000_000, P8)
  statementVersion!: number;
}

@ApiTags('permissions')
@ApiBearerAuth()
@Controller('customers/:customer/permissions/:recipient/:purpose')
@Roles('customer', services('portal'))
export class GrantPermissionController {
  constructor(@Inject(GrantPermissionUseCase) private readonly permissions: GrantPermissionUseCase) {}

  /** Permits a recipient to have this customer's data for one purpose (P8). */
  @Put()
  async grant(
    @Param('customer', UuidPipe) customer: string,
    @Param('recipient') recipient: string,
    @Param('purpose') purpose: string,
    @Body() { how, givenAt, statementVersion }: EvidenceOfPermission,
    @CurrentCaller() caller: Caller,
  ): Promise<PermissionView> {
    mustBe(caller, customer);
    return viewOf(
      await this.permissions.grant(
        { customer, recipient, purpose },
        { how, givenAt: new Date(givenAt), statementVersion },
      ),
    );
  }
}
