import { Controller, Get, Header, Inject, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { parseBundlePath, parseTilePath } from '@castiron/ledger';
import { ReadLog } from './read-log.query.js';

interface Request {
  readonly url: string;
}
interface Reply {
  header(name: string, value: string): unknown;
}

const FOR_GOOD = 'public, max-age=31536000, immutable';

const missing = (): Refused =>
  new Refused({ kind: 'not-found', code: 'not-in-the-log', detail: 'The log has nothing at this address (yet).' });

/** The ledger as others read it (G3): C2SP tlog-tiles below `/ledger`. It holds no personal data, and hides nothing. */
@ApiTags('ledger')
@Controller('ledger')
export class LedgerController {
  constructor(@Inject(ReadLog) private readonly log: ReadLog) {}

  @Public()
  @Get('checkpoint')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-cache')
  @ApiOperation({ summary: 'The head of the tree that was signed last (C2SP tlog-checkpoint)' })
  async checkpoint(): Promise<string> {
    const note = await this.log.checkpoint();
    if (note === undefined) throw missing();
    return note;
  }

  @Public()
  @Get('verifier-key')
  @Header('content-type', 'text/plain; charset=utf-8')
  @ApiOperation({ summary: 'What checkpoints are verified with; whoever is to be sure gets it another way too' })
  verifierKey(): string {
    return `${this.log.verifierKey}\n`;
  }

  @Public()
  @Get('tile/*')
  @ApiOperation({
    summary: 'Hashes of the tree, `<level>/<index>[.p/<width>]`, or entries, `entries/<index>[.p/<width>]`',
  })
  async tile(@Req() request: Request, @Res({ passthrough: true }) reply: Reply): Promise<StreamableFile> {
    // As it was asked for: nothing decoded, nothing normalised.
    const path = request.url.slice(request.url.indexOf('/tile/') + 1);
    const tile = parseTilePath(path);
    const bundle = parseBundlePath(path);
    const bytes = tile === undefined ? bundle && (await this.log.bundle(bundle)) : await this.log.tile(tile);
    if (bytes === undefined) throw missing();
    // Not before: what is not there yet may come.
    reply.header('cache-control', FOR_GOOD);
    return new StreamableFile(bytes);
  }
}
