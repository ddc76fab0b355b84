import { Controller, Delete, Inject, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, mustBe, Roles, services, type Caller } from '@castiron/access';
import { UuidPipe } from '@castiron/service';
import { ChangeObjectionUseCase } from './change-objection.use-case.js';
import { viewOf, type ObjectionView } from './objection.table.js';

@ApiTags('objections')
@ApiBearerAuth()
@Controller('customers/:customer/objections/:recipient/:purpose')
@Roles('customer', services('portal'))
export class CooperationController {
  constructor(@Inject(ChangeObjectionUseCase) private readonly objections: ChangeObjectionUseCase) {}

  /** Withdraws an objection: the cooperation may go on. */
  @Delete()
  async allowAgain(
    @Param('customer', UuidPipe) customer: string,
    @Param('recipient') recipient: string,
    @Param('purpose') purpose: string,
    @CurrentCaller() caller: Caller,
  ): Promise<ObjectionView> {
    mustBe(caller, customer);
    return viewOf(await this.objections.withdraw({ customer, recipient, purpose }));
  }
}
