import { Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, mustBe, Roles, type Caller } from '@castiron/access';
import { OnlyTakesAway, UuidPipe } from '@castiron/service';
import { CommandView, viewOf } from '../../commands/command.view.js';
import { EraseCustomerUseCase } from './erase-customer.use-case.js';

class ErasureView extends CommandView {
  @ApiProperty({ description: 'Where to ask how far it is' })
  poll!: string;
}

@ApiTags('erasures')
@ApiBearerAuth()
@Controller('customers/:customer/erasure')
@Roles('customer', 'privacy-officer')
export class ErasuresController {
  constructor(@Inject(EraseCustomerUseCase) private readonly erasures: EraseCustomerUseCase) {}

  /**
   * Erases all that is kept of a customer (G4), for good. Recipients are told to delete what they hold. `done` once nothing of
   * the customer can get onto a feed any more and the keys to every copy are gone.
   */
  @Post()
  @HttpCode(202)
  @OnlyTakesAway()
  @ApiAcceptedResponse({ type: ErasureView })
  async erase(@Param('customer', UuidPipe) customer: string, @CurrentCaller() caller: Caller): Promise<ErasureView> {
    mustBe(caller, customer);
    const erasure = await this.erasures.erase(customer);
    return { ...viewOf(erasure), poll: `/commands/${erasure.id}` };
  }
}
