import { Body, Controller, Get, Inject, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { CurrentCaller, Roles, type Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { DataSource } from 'typeorm';
import { progressOfMailing } from '../mailing.table.js';
import { MailingDto } from './mailing.dto.js';
import { SendMailingUseCase } from './send-mailing.use-case.js';

const noSuchMailing = (): Refused =>
  new Refused({ kind: 'not-found', code: 'no-such-mailing', detail: 'There is no such mailing.' });

/** E-mail about products and events, to those who permitted it and did not cancel (P16). */
@Controller('mailings')
@Roles('privacy-officer')
export class MailingsController {
  constructor(
    @Inject(SendMailingUseCase) private readonly sendMailing: SendMailingUseCase,
    @Inject(DataSource) private readonly dataSource: DataSource,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Send a mailing to everybody who may be mailed; its mails are written a step at a time' })
  send(@Body() body: MailingDto, @CurrentCaller() caller: Caller): Promise<{ mailing: string }> {
    return this.sendMailing.send({ subject: body.subject, text: body.text }, caller.sub);
  }

  @Get(':id')
  @ApiOperation({
    summary: 'How many of its mails were sent, cancelled, or wait; writtenAt is null while more are being written',
  })
  async read(@Param('id', new ParseUUIDPipe({ exceptionFactory: noSuchMailing })) id: string) {
    const progress = await progressOfMailing(this.dataSource.manager, id);
    if (progress === undefined) throw noSuchMailing();
    return { mailing: id, ...progress };
  }
}
