import { Controller, Get, Inject } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '@castiron/access';
import { ReadReconciliation, type Reconciliation } from './read-reconciliation.query.js';

/** Whether feeds and ledger tell the same (P10). */
@ApiTags('ledger')
@ApiBearerAuth()
@Controller('reconciliation')
@Roles('privacy-officer', 'auditor')
export class ReconciliationController {
  constructor(@Inject(ReadReconciliation) private readonly reconciliation: ReadReconciliation) {}

  /**
   * How far each feed was read, by recipient, with what was found there; what of the ledger was compared; open incidents. What
   * could not be seen is counted as unobserved, and is not fine.
   */
  @Get()
  read(): Promise<Reconciliation> {
    return this.reconciliation.now();
  }
}
