import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Roles, services } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { DataSource } from 'typeorm';
import { readStatement, readStatementInEffect, type Statement } from '../statement.table.js';

class StatementView {
  @ApiProperty({ minimum: 1 })
  version!: number;

  @ApiProperty({ format: 'date-time' })
  effectiveFrom!: string;

  @ApiProperty({ description: 'Of the text, hexadecimal' })
  sha256!: string;

  @ApiProperty({ description: 'Markdown' })
  text!: string;
}

/** At most what fits an integer column. */
const VERSION = /^[1-9][0-9]{0,8}$/;

function viewOf(statement: Statement | undefined): StatementView {
  if (statement === undefined) {
    throw new Refused({
      kind: 'not-found',
      code: 'statement-not-found',
      detail: 'There is no such statement.',
      promise: 'P17',
    });
  }
  return { ...statement, effectiveFrom: statement.effectiveFrom.toISOString() };
}

/** The versions of the privacy statement (P17). */
@ApiTags('statements')
@ApiBearerAuth()
@Controller('statements')
@Roles('customer', 'support', 'privacy-officer', 'auditor', 'partner', services('portal'))
export class StatementsController {
  constructor(@Inject(DataSource) private readonly database: DataSource) {}

  @Get('current')
  async current(): Promise<StatementView> {
    return viewOf(await readStatementInEffect(this.database.manager, new Date()));
  }

  @Get(':version')
  async read(@Param('version') version: string): Promise<StatementView> {
    return viewOf(VERSION.test(version) ? await readStatement(this.database.manager, Number(version)) : undefined);
  }
}
