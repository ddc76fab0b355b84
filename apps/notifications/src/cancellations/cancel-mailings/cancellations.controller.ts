import { Controller, Get, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Public } from '@castiron/access';
import { OnlyTakesAway } from '@castiron/service';
import { CancelMailingsUseCase } from './cancel-mailings.use-case.js';
import { ASKING_PAGE, DONE_PAGE, PAGE_HEADERS } from './cancellation.page.js';

/** What is needed of the server's reply. */
interface Reply {
  headers(values: Readonly<Record<string, string>>): unknown;
}

/** The links of our mails (P16, RFC 8058). Whoever has the link may cancel: no session, no token besides it. */
@Controller('cancellations')
export class CancellationsController {
  constructor(@Inject(CancelMailingsUseCase) private readonly cancelMailings: CancelMailingsUseCase) {}

  @Get(':token')
  @Public()
  @ApiOperation({ summary: 'A page that asks; it changes nothing' })
  ask(@Param('token') token: string, @Res({ passthrough: true }) reply: Reply): string {
    this.cancelMailings.subjectOf(token);
    reply.headers(PAGE_HEADERS);
    return ASKING_PAGE;
  }

  @Post(':token')
  @Public()
  @OnlyTakesAway()
  @HttpCode(200)
  @ApiOperation({ summary: 'Stops all mailings; in effect with the answer. Takes any body, such as RFC 8058 has' })
  async cancel(@Param('token') token: string, @Res({ passthrough: true }) reply: Reply): Promise<string> {
    await this.cancelMailings.cancel(token);
    reply.headers(PAGE_HEADERS);
    return DONE_PAGE;
  }
}
