import { Controller, Get, Header, Inject, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, hasRole, mustBe, Roles, type Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { UuidPipe } from '@castiron/service';
import { DataSource } from 'typeorm';
import { ReadLog } from './read-log.query.js';

const missing = (): Refused =>
  new Refused({ kind: 'not-found', code: 'no-such-entry', detail: 'No entry of yours has this id.' });

/** The proof that one disclosure stands in the ledger (G3), for whom it is about and for who received it. */
@ApiTags('ledger')
@ApiBearerAuth()
@Controller()
export class ProofsController {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(ReadLog) private readonly log: ReadLog,
  ) {}

  @Get('customers/:customer/disclosures/:entry/proof')
  @Roles('customer', 'support', 'privacy-officer', 'auditor')
  @Header('content-type', 'text/plain; charset=utf-8')
  @ApiOperation({ summary: 'That a disclosure stands in the ledger (C2SP tlog-proof), with its entry beside' })
  ofCustomer(
    @Param('customer', UuidPipe) customer: string,
    @Param('entry', UuidPipe) entry: string,
    @CurrentCaller() caller: Caller,
  ): Promise<string> {
    mustBe(caller, customer);
    return this.proofOf(
      entry,
      'SELECT FROM share_entries e JOIN shares s ON s.id = e.share WHERE e.entry = $1 AND s.customer = $2',
      customer,
    );
  }

  @Get('recipients/:slug/entries/:entry/proof')
  @Roles('partner', 'privacy-officer', 'auditor')
  @Header('content-type', 'text/plain; charset=utf-8')
  @ApiOperation({ summary: 'That what a record names stands in the ledger (C2SP tlog-proof), with its entry beside' })
  ofRecipient(
    @Param('slug') slug: string,
    @Param('entry', UuidPipe) entry: string,
    @CurrentCaller() caller: Caller,
  ): Promise<string> {
    // Somebody else's entry looks like none.
    if (!hasRole(caller, 'privacy-officer', 'auditor') && caller.sub !== slug) throw missing();
    return this.proofOf(entry, 'SELECT FROM ledger_entries WHERE id = $1 AND recipient = $2', slug);
  }

  private async proofOf(entry: string, own: string, whose: string): Promise<string> {
    const rows: unknown[] = await this.dataSource.query(own, [entry, whose]);
    const found = rows.length === 0 ? undefined : await this.log.proofOf(entry);
    if (found === undefined) throw missing();
    if (found !== 'unsigned') return found.proof;
    throw new Refused({
      kind: 'unavailable',
      code: 'not-signed-yet',
      detail: 'No head of the ledger is signed yet that has this entry. Ask again in some seconds.',
    });
  }
}
