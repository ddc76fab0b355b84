import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles, services } from '@castiron/access';
import { DataSource } from 'typeorm';
import { allRecipients, recipientOf, type Recipient } from '../recipient.table.js';

@ApiTags('recipients')
@ApiBearerAuth()
@Controller('recipients')
@Roles('customer', 'support', 'privacy-officer', 'auditor', services('portal'))
export class ReadRecipientsController {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  /** Everyone who may get data, partners and our own services. */
  @Get()
  async all(): Promise<{ recipients: readonly Recipient[] }> {
    return { recipients: await allRecipients(this.dataSource.manager) };
  }

  @Get(':slug')
  one(@Param('slug') slug: string): Promise<Recipient> {
    return recipientOf(this.dataSource.manager, slug);
  }
}
