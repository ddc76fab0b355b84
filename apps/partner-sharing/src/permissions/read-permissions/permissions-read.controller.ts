import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, mustBe, Roles, type Caller } from '@castiron/access';
import { UuidPipe } from '@castiron/service';
import { DataSource } from 'typeorm';
import { permissionsOf, viewOf, type PermissionView } from '../permission.table.js';

@ApiTags('permissions')
@ApiBearerAuth()
@Controller('customers/:customer/permissions')
@Roles('customer', 'support', 'privacy-officer', 'auditor')
export class ReadPermissionsController {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  /** What the customer has permitted and revoked. */
  @Get()
  async read(
    @Param('customer', UuidPipe) customer: string,
    @CurrentCaller() caller: Caller,
  ): Promise<{ permissions: readonly PermissionView[] }> {
    mustBe(caller, customer);
    return { permissions: (await permissionsOf(this.dataSource.manager, customer)).map(viewOf) };
  }
}
