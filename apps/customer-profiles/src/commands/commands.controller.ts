import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, hasRole, Roles, services, type Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { UuidPipe } from '@castiron/service';
import { DataSource } from 'typeorm';
import { commandOf } from './command.table.js';
import { CommandView, viewOf } from './command.view.js';

@ApiTags('commands')
@ApiBearerAuth()
@Controller('commands')
@Roles('customer', 'support', 'privacy-officer', services('portal'))
export class CommandsController {
  constructor(@Inject(DataSource) private readonly database: DataSource) {}

  /** `done` once nothing of what was taken away can get to anybody any more, and of an erasure the keys are gone. */
  @Get(':id')
  async read(@Param('id', UuidPipe) id: string, @CurrentCaller() caller: Caller): Promise<CommandView> {
    const command = await commandOf(this.database.manager, id);
    const isOwn = hasRole(caller, 'support', 'privacy-officer', 'service') || command?.customer === caller.sub;
    // Somebody else's command looks like none.
    if (command === undefined || !isOwn)
      throw new Refused({ kind: 'not-found', code: 'no-such-command', detail: 'No command of yours has this id.' });
    return viewOf(command);
  }
}
