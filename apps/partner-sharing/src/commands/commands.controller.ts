import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, hasRole, Roles, services, type Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { UuidPipe } from '@castiron/service';
import { DataSource } from 'typeorm';
import { agreementOf } from '../agreements/agreement.table.js';
import { Fence } from '../fence/fence.js';
import { findCommand, markDone } from './command.table.js';

interface CommandView {
  readonly command: string;
  readonly kind: string;
  readonly state: 'waiting' | 'done';
}

@ApiTags('commands')
@ApiBearerAuth()
@Controller('commands')
@Roles('customer', 'support', 'privacy-officer', services('portal'), 'partner')
export class CommandsController {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Fence) private readonly fence: Fence,
  ) {}

  /** `done` once nothing decided before the command can get onto a feed any more. */
  @Get(':id')
  async read(@Param('id', UuidPipe) id: string, @CurrentCaller() caller: Caller): Promise<CommandView> {
    const command = await findCommand(this.dataSource.manager, id);
    const own =
      hasRole(caller, 'support', 'privacy-officer', 'service') ||
      (hasRole(caller, 'customer') && command?.customer === caller.sub) ||
      (hasRole(caller, 'partner') &&
        command?.scope === 'agreement' &&
        (await this.isOfAgreementWith(caller.sub, command.target)));
    // Somebody else's command looks like none.
    if (command === undefined || !own) {
      throw new Refused({ kind: 'not-found', code: 'no-such-command', detail: 'No command of yours has this id.' });
    }
    const done = command.doneAt !== null || (await this.fence.stands(command));
    if (done && command.doneAt === null) await markDone(this.dataSource.manager, id);
    return { command: id, kind: command.kind, state: done ? 'done' : 'waiting' };
  }

  /** A partner that ended its own agreement may ask how that goes. */
  private async isOfAgreementWith(partner: string, agreement: string): Promise<boolean> {
    return (await agreementOf(this.dataSource.manager, agreement)).recipient === partner;
  }
}
