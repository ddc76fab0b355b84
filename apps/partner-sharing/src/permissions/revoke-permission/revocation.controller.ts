import { Controller, Delete, Inject, Param, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, mustBe, Roles, services, type Caller } from '@castiron/access';
import { OnlyTakesAway, UuidPipe } from '@castiron/service';
import { DataSource } from 'typeorm';
import { answerBehindFence, type FencedAnswer, type Reply } from '../../fence/answer-behind-fence.js';
import { Fence } from '../../fence/fence.js';
import { viewOf, type PermissionView } from '../permission.table.js';
import { RevokePermissionUseCase } from './revoke-permission.use-case.js';

@ApiTags('permissions')
@ApiBearerAuth()
@Controller('customers/:customer/permissions/:recipient/:purpose')
@Roles('customer', services('portal'))
export class RevocationController {
  constructor(
    @Inject(RevokePermissionUseCase) private readonly permissions: RevokePermissionUseCase,
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Fence) private readonly fence: Fence,
  ) {}

  /** 200: from now on no record for this purpose gets onto the recipient's feed (G2). 202: so soon, see `poll`. */
  @Delete()
  @OnlyTakesAway()
  async revoke(
    @Param('customer', UuidPipe) customer: string,
    @Param('recipient') recipient: string,
    @Param('purpose') purpose: string,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<PermissionView & FencedAnswer> {
    mustBe(caller, customer);
    const { permission, command } = await this.permissions.revoke({ customer, recipient, purpose });
    return { ...viewOf(permission), ...(await answerBehindFence(this.dataSource, this.fence, command, reply)) };
  }
}
