import { Body, Controller, Delete, Get, Module, Param, Post, Query } from '@nestjs/common';
import { IsArray, IsInt, IsObject, IsString, Matches, Max, ValidateNested } from 'class-validator';
import { Type } from 'class-transformer';
import { CurrentCaller, Public, Roles, services, type Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { correlationId, createLogger, createMetrics, Health } from '@castiron/observability';
import {
  because,
  CanBeLeftOut,
  ChecksOwnText,
  httpSettings,
  IsInstant,
  IsLine,
  IsText,
  parseSettings,
  startService,
  UnknownNames,
  UuidPipe,
  type RunningService,
  type ServiceOptions,
} from '../index.js';

class AddressDto {
  @IsString()
  street!: string;
}

class ThingDto {
  @IsString()
  @Matches(/^\S+$/, because({ promise: 'P1', code: 'name-needed' }))
  name!: string;

  @CanBeLeftOut()
  @IsInt()
  @Max(10)
  count?: number;

  @CanBeLeftOut()
  @ValidateNested()
  @Type(() => AddressDto)
  address?: AddressDto;
}

class FreeDto {
  @IsObject()
  @UnknownNames({ code: 'attribute-unknown', promise: 'P1' })
  values!: Record<string, unknown>;

  @CanBeLeftOut()
  @IsInstant(because({ promise: 'P8' }))
  at?: string;

  @CanBeLeftOut()
  @IsLine(20, because({ promise: 'P8' }))
  how?: string;

  @CanBeLeftOut()
  @IsText(20)
  text?: string;
}

class RowsDto {
  @IsArray()
  rows!: unknown[];
}

@Controller('things')
@Roles('support')
class ThingsController {
  @Post()
  create(@Body() thing: ThingDto, @CurrentCaller() caller: Caller): object {
    return { name: thing.name, by: caller.sub, correlation: correlationId() };
  }

  @Post('free')
  free(@Body() { values, ...others }: FreeDto): object {
    return { values, ...others };
  }

  @Post('rows')
  @ChecksOwnText()
  rows(@Body() { rows }: RowsDto): object {
    return { rows: rows.length };
  }

  @Get('refused')
  refuse(): never {
    throw new Refused({ kind: 'conflict', code: 'taken', detail: 'It is taken.', promise: 'P8' });
  }

  @Get('broken')
  break(): never {
    throw new Error('a bug');
  }

  @Get('search')
  search(@Query('q') q: string): object {
    return { q };
  }

  @Get('own')
  @Roles('customer')
  own(): object {
    return {};
  }

  @Get('for-the-portal')
  @Roles('customer', services('portal'))
  forThePortal(@CurrentCaller() caller: Caller): object {
    return { roles: caller.roles };
  }

  @Get(':id')
  read(@Param('id', UuidPipe) id: string): object {
    return { id };
  }

  @Delete(':id')
  remove(@Param('id', UuidPipe) id: string, @Body() body: unknown): object {
    return { id, tookBody: body !== undefined };
  }
}

@Controller()
class CancellationsController {
  @Public()
  @Post('cancellations/:token')
  cancel(@Body() body: unknown): object {
    return { body };
  }
}

@Module({ controllers: [ThingsController, CancellationsController] })
export class ThingsModule {}

export interface Answered {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** `token`: null sends none. `base`: another service than the rig's own. */
export type Call = RequestInit & { token?: string | null; base?: string };

/** A service over HTTP alone, and what is needed to ask it. */
export class ServiceRig {
  /** Every line of its log. */
  readonly lines: string[] = [];
  private running: RunningService | undefined;

  constructor(
    private readonly issuer: string,
    /** What a call carries that says nothing of its own. */
    readonly token: string,
  ) {}

  get service(): RunningService {
    if (this.running === undefined) throw new Error('the service was not started');
    return this.running;
  }

  async start(): Promise<void> {
    this.running = await startService(this.optionsFor(ThingsModule));
  }

  optionsFor(module: ServiceOptions['module'], more: Partial<ServiceOptions> = {}): ServiceOptions {
    return {
      name: 'svc',
      module,
      settings: parseSettings({ CASTIRON_PORT: '0', OIDC_ISSUER: this.issuer }, httpSettings('svc')),
      logger: createLogger('svc', 'info', { write: (line) => void this.lines.push(line) }),
      health: new Health(),
      metrics: createMetrics('svc'),
      exit: () => undefined,
      ...more,
    };
  }

  async call(path: string, { token = this.token, base, ...init }: Call = {}): Promise<Answered> {
    const headers = new Headers(init.headers);
    if (token !== null) headers.set('authorization', `Bearer ${token}`);
    const answer = await fetch(`${base ?? this.service.url}${path}`, { ...init, headers });
    const text = await answer.text();
    return {
      status: answer.status,
      type: answer.headers.get('content-type') ?? '',
      headers: answer.headers,
      body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text },
    };
  }

  /** @param body as JSON, or text and bytes as they are */
  post(
    body: unknown,
    { headers, ...init }: Call & { headers?: Record<string, string> } = {},
    path = '/things',
  ): Promise<Answered> {
    return this.call(path, {
      method: 'POST',
      body: typeof body === 'string' || Buffer.isBuffer(body) ? (body as RequestInit['body']) : JSON.stringify(body),
      ...init,
      headers: { 'content-type': 'application/json', ...headers },
    });
  }
}

/** What a refusal looks like, for `toMatchObject`. */
export const problem = (status: number, fields: object): object => ({
  status,
  type: 'application/problem+json; charset=utf-8',
  body: { status, ...fields },
});
