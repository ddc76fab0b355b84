import { Controller, Get, Inject, Param, Put, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, mustBe, Roles, services, type Caller } from '@castiron/access';
import { OnlyTakesAway, UuidPipe } from '@castiron/service';
import { DataSource } from 'typeorm';
import { answerBehindFence, type FencedAnswer, type Reply } from '../fence/answer-behind-fence.js';
import { Fence } from '../fence/fence.js';
import { ChangeObjectionUseCase } from './change-objection.use-case.js';
import { objectionsOf, viewOf, type ObjectionView } from './objection.table.js';

@ApiTags('objections')
@ApiBearerAuth()
@Controller('customers/:customer/objections')
export class ObjectionsController {
  constructor(
    @Inject(ChangeObjectionUseCase) private readonly objections: ChangeObjectionUseCase,
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Fence) private readonly fence: Fence,
  ) {}

  /** What the customer objected to, and what of it was withdrawn. */
  @Get()
  @Roles('customer', 'support', 'privacy-officer', 'auditor')
  async read(
    @Param('customer', UuidPipe) customer: string,
    @CurrentCaller() caller: Caller,
  ): Promise<{ objections: readonly ObjectionView[] }> {
    mustBe(caller, customer);
    return { objections: (await objectionsOf(this.dataSource.manager, customer)).map(viewOf) };
  }

  /**
   * Objects to cooperation with a recipient for a purpose (P13), which revokes a permission for it too. 200: from now on no
   * record for this purpose gets onto the recipient's feed (G2). 202: so soon, see `poll`.
   */
  @Put(':recipient/:purpose')
  @Roles('customer', services('portal'))
  @OnlyTakesAway()
  async object(
    @Param('customer', UuidPipe) customer: string,
    @Param('recipient') recipient: string,
    @Param('purpose') purpose: string,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ObjectionView & FencedAnswer> {
    mustBe(caller, customer);
    const { objection, command } = await this.objections.object({ customer, recipient, purpose });
    return { ...viewOf(objection), ...(await answerBehindFence(this.dataSource, this.fence, command, reply)) };
  }
}
