import {
  Body,
  Controller,
  Get,
  Inject,
  Module,
  Param,
  ParseUUIDPipe,
  Post,
  Query,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { IsInt, IsOptional, IsString, Matches, Max, ValidateNested } from 'class-validator';
import { Type } from 'class-transformer';
import type { FastifyInstance } from 'fastify';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CurrentCaller, Public, Roles, type Caller } from '@castiron/access';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import { Refused } from '@castiron/failures';
import { correlationId, createLogger, createMetrics, Health } from '@castiron/observability';
import {
  because,
  parseSettings,
  httpSettings,
  startService,
  type Part,
  type RunningService,
  type ServiceOptions,
} from './index.js';

class AddressDto {
  @IsString()
  street!: string;
}

class ThingDto {
  @IsString()
  @Matches(/^\S+$/, because({ promise: 'P1', code: 'name-needed' }))
  name!: string;

  @IsOptional()
  @IsInt()
  @Max(10)
  count?: number;

  @IsOptional()
  @ValidateNested()
  @Type(() => AddressDto)
  address?: AddressDto;
}

@Controller('things')
@Roles('support')
class ThingsController {
  @Post()
  create(@Body() thing: ThingDto, @CurrentCaller() caller: Caller): object {
    return { name: thing.name, by: caller.sub, correlation: correlationId() };
  }

  @Get('refused')
  refuse(): never {
    throw new Refused({ kind: 'conflict', code: 'taken', detail: 'It is taken.', promise: 'P8' });
  }

  @Get('broken')
  break(): never {
    throw new Error('secret jane@example.org');
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

  @Get(':id')
  read(@Param('id', ParseUUIDPipe) id: string): object {
    return { id };
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
class ThingsModule {}

const lines: string[] = [];
let idp: TestIssuer;
let service: RunningService;
let support: string;

function optionsFor(module: ServiceOptions['module'], more: Partial<ServiceOptions> = {}): ServiceOptions {
  const settings = parseSettings({ CASTIRON_PORT: '0', OIDC_ISSUER: idp.issuer }, httpSettings('svc'));
  const logger = createLogger('svc', 'info', { write: (line) => void lines.push(line) });
  return {
    name: 'svc',
    module,
    settings,
    logger,
    health: new Health(),
    metrics: createMetrics('svc'),
    exit: () => undefined,
    ...more,
  };
}

beforeAll(async () => {
  idp = await startTestIssuer();
  service = await startService(optionsFor(ThingsModule));
  support = await idp.mint('support', 'anna');
});
afterAll(async () => {
  await service.stop();
  await idp.close();
});

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(
  path: string,
  init: RequestInit & { token?: string | null; base?: string } = {},
): Promise<Answered> {
  const headers = new Headers(init.headers);
  const token = init.token === undefined ? support : init.token;
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  const answer = await fetch(`${init.base ?? service.url}${path}`, { ...init, headers });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text },
  };
}

const post = (body: unknown, init: RequestInit & { token?: string | null } = {}): Promise<Answered> =>
  call('/things', {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
  });

function expectProblem(answer: Answered, status: number, fields: object): void {
  expect(answer.body).toMatchObject({ status, ...fields });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
}

describe('access', () => {
  it('is denied without a token', async () => {
    const answer = await post({ name: 'a' }, { token: null });
    expectProblem(answer, 401, { code: 'token-required' });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="castiron"');
  });

  it.each([
    ['expired', () => idp.mint('support', 'x', { expiresIn: -60 })],
    ['for another audience', () => idp.mint('support', 'x', { audience: 'portal' })],
    [
      'unsigned',
      () =>
        Promise.resolve(
          `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: idp.issuer, aud: 'castiron', sub: 'x', roles: ['support'], exp: 9e9 })).toString('base64url')}.`,
        ),
    ],
    ['no token at all', () => Promise.resolve('nonsense')],
  ])('is denied to a token that is %s', async (_name, make) => {
    const answer = await post({ name: 'a' }, { token: await make() });
    expectProblem(answer, 401, { code: 'invalid-token' });
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('is denied to another role, and a handler may be narrower than its controller', async () => {
    expectProblem(await post({ name: 'a' }, { token: await idp.mint('partner', 'p1') }), 403, {
      code: 'role-not-allowed',
    });
    expectProblem(await call('/things/own'), 403, { code: 'role-not-allowed' });
  });

  it('is given to the declared role, which the handler then knows', async () => {
    const answer = await post({ name: 'a' }, { headers: { 'x-correlation-id': 'test-0001' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ name: 'a', by: 'anna', correlation: 'test-0001' });
    expect(answer.headers.get('x-correlation-id')).toBe('test-0001');
  });

  it('is public for what stands in the closed list', async () => {
    for (const path of [
      '/health/live',
      '/health/ready',
      '/metrics',
      '/openapi.json',
      '/openapi',
      '/openapi/swagger-ui.css',
    ]) {
      expect((await call(path, { token: null })).status, path).toBe(200);
    }
  });
});

describe('a start fails', () => {
  it('where a route declares no role', async () => {
    @Controller('forgotten')
    class ForgottenController {
      @Get('it')
      it(): object {
        return {};
      }
    }
    @Module({ controllers: [ForgottenController] })
    class ForgottenModule {}
    await expect(startService(optionsFor(ForgottenModule))).rejects.toThrow(
      'GET /forgotten/it (ForgottenController.it) declares no role',
    );
  });

  it('where a route is public outside the closed list', async () => {
    @Controller('open')
    class OpenController {
      @Public()
      @Get()
      it(): object {
        return {};
      }
    }
    @Module({ controllers: [OpenController] })
    class OpenModule {}
    await expect(startService(optionsFor(OpenModule))).rejects.toThrow(
      'GET /open (OpenController.it) is public, but not in the closed list',
    );
  });

  it('where something is served past the controllers, and so past the guard', async () => {
    @Module({})
    class BackDoorModule implements OnModuleInit {
      constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

      onModuleInit(): void {
        this.host.httpAdapter.getInstance<FastifyInstance>().get('/back-door', () => ({}));
      }
    }
    await expect(startService(optionsFor(BackDoorModule))).rejects.toThrow(
      'GET /back-door is served past the controllers',
    );
  });

  it('where a part does not start, and stops the parts before it', async () => {
    const stopped: string[] = [];
    const good: Part = { start: () => Promise.resolve(), stop: async () => void stopped.push('good') };
    const bad: Part = {
      start: () => Promise.reject(new Error('no broker')),
      stop: async () => void stopped.push('bad'),
    };
    await expect(startService(optionsFor(ThingsModule, { parts: [good, bad] }))).rejects.toThrow('no broker');
    expect(stopped).toEqual(['bad', 'good']);
  });
});

describe('bad input', () => {
  it('that is malformed JSON', async () => {
    expectProblem(await post('{"name":'), 400, { code: 'malformed-json' });
    expectProblem(await post(''), 400, { code: 'malformed-json' });
    expectProblem(await post('{"__proto__":{"x":1},"name":"a"}'), 400, { code: 'malformed-json' });
  });

  it('that is over the limit', async () => {
    expectProblem(await post({ name: 'x'.repeat(300_000) }), 413, { code: 'body-too-large' });
  });

  it('that is no JSON at all', async () => {
    expectProblem(await post('name=a', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415, {
      code: 'unsupported-media-type',
    });
    expectProblem(await post('<a/>', { headers: { 'content-type': 'text/xml' } }), 415, {
      code: 'unsupported-media-type',
    });
  });

  it('with an unknown field names the field', async () => {
    expectProblem(await post({ name: 'a', admin: true }), 400, { code: 'unknown-field', field: 'admin' });
    expectProblem(await post({ name: 'a', address: { street: 's', zip: 1 } }), 400, {
      code: 'unknown-field',
      field: 'address.zip',
    });
  });

  it('names the field, and the promise where there is one', async () => {
    expectProblem(await post({ name: 'a b' }), 400, { code: 'name-needed', field: 'name', promise: 'P1' });
    const answer = await post({ name: 'a', count: 11 });
    expectProblem(answer, 400, { code: 'invalid-field', field: 'count' });
    expect(answer.body).not.toHaveProperty('promise');
  });

  it.each([
    ['an array', []],
    ['an array of things', [{ name: 'a' }]],
    ['a string', '"x"'],
    ['null', 'null'],
    ['a number', '7'],
  ])('that is %s instead of an object', async (_name, body) => {
    expect((await post(body)).status).toBe(400);
  });

  it.each([
    ['a field', { name: 'a\u0000b' }, 'name'],
    ['a nested field', { name: 'a', address: { street: 'x\u001b[31m' } }, 'address.street'],
    ['a field, as half a character', '{"name":"\\ud800"}', 'name'],
  ])('with control characters in %s names the field', async (_where, body, field) => {
    expectProblem(await post(body), 400, { code: 'control-characters', field });
  });

  it('with control characters in a name, the path or the query', async () => {
    expectProblem(await post({ 'a\u0007': 1 }), 400, { code: 'control-characters' });
    expectProblem(await call('/things/%00'), 400, { code: 'control-characters', field: 'path.id' });
    expectProblem(await call('/things/search?q=%0b'), 400, { code: 'control-characters', field: 'query.q' });
  });

  it('nested without end', async () => {
    expectProblem(await post(`{"name":${'['.repeat(5_000)}${']'.repeat(5_000)}}`), 400, { code: 'too-deep' });
  });

  it('with a broken address or a bad id', async () => {
    expectProblem(await call('/things/%zz'), 400, { code: 'bad-address' });
    expectProblem(await call('/things/not-a-uuid'), 400, { code: 'bad-request' });
    expectProblem(await call('/nowhere'), 404, { code: 'no-such-route' });
  });

  it.each([
    ['a control character', 'x-thing: a\u0001b', 400],
    ['a tab', 'x-thing: a\tb', 400],
    ['a bare line feed', 'x-thing: a\nb', 400],
    ['more than fits', `x-thing: ${'a'.repeat(20_000)}`, 431],
  ])('with a header that holds %s', async (_name, header, status) => {
    const text = await raw(
      `GET /things/search?q=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${support}\r\n${header}\r\n\r\n`,
    );
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text.toLowerCase()).toContain('application/problem+json');
  });

  it('never comes back in a log or an answer', async () => {
    lines.length = 0;
    await post({ name: 'jane doe' });
    expectProblem(await call('/things/broken'), 500, { code: 'internal-error' });
    await call('/things/search?q=jane');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    const requests = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(requests.find(({ route }) => route === '/things/search')).toMatchObject({ method: 'GET', status: 200 });
    expect(requests.find(({ msg }) => msg === 'request failed')).toHaveProperty('correlationId');
    expect(lines.filter((line) => !line.includes('request failed')).join()).not.toContain('jane');
  });
});

describe('answers', () => {
  it('carry what refused', async () => {
    expectProblem(await call('/things/refused'), 409, {
      code: 'taken',
      detail: 'It is taken.',
      promise: 'P8',
      type: 'urn:castiron:problem:taken',
    });
  });

  it('take the forms of mail programs on public routes only', async () => {
    const form = new FormData();
    form.set('List-Unsubscribe', 'One-Click');
    expect((await call('/cancellations/abc', { method: 'POST', body: form, token: null })).status).toBe(201);
    expect(
      (
        await call('/cancellations/abc', {
          method: 'POST',
          body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
          token: null,
        })
      ).status,
    ).toBe(201);
    expect((await call(`/cancellations/${'a'.repeat(500)}`, { method: 'POST', token: null })).status).toBe(201);
  });

  it('are described, fields of dtos included', async () => {
    const { body } = await call('/openapi.json', { token: null });
    expect(body).toMatchObject({
      components: {
        schemas: {
          ThingDto: {
            required: ['name'],
            properties: { name: { type: 'string' }, count: { type: 'integer', maximum: 10 } },
          },
          ProblemDetails: {},
        },
      },
    });
  });

  it('are counted by route, never by address', async () => {
    await call('/things/0b5c1c1e-6d3f-4e2c-8b7a-0123456789ab');
    const { body } = await call('/metrics', { token: null });
    expect(body['text']).toContain('route="/things/:id"');
    expect(body['text']).not.toContain('0b5c1c1e');
  });
});

describe('a stop', () => {
  @Controller('slow')
  @Roles('support')
  class SlowController {
    static release: () => void = () => undefined;
    static entered: () => void = () => undefined;
    static left: () => void = () => undefined;

    @Get()
    async wait(): Promise<object> {
      SlowController.entered();
      await new Promise<void>((resolve) => {
        SlowController.release = resolve;
      });
      SlowController.left();
      return { done: true };
    }
  }
  @Module({ controllers: [SlowController] })
  class SlowModule {}

  it('lets a request under way finish, takes no new one, and then stops the parts in turn', async () => {
    const events: string[] = [];
    const part = (name: string): Part => ({
      start: async () => void events.push(`start ${name}`),
      stop: async () => void events.push(`stop ${name}`),
    });
    const slow = await startService(optionsFor(SlowModule, { parts: [part('one'), part('two')] }));
    const entered = new Promise<void>((resolve) => {
      SlowController.entered = resolve;
    });
    SlowController.left = () => void events.push('answer');
    const under = call('/slow', { base: slow.url });
    await entered;
    const before = Date.now();
    const stopped = slow.stop();
    await expect(call('/health/live', { base: slow.url })).rejects.toThrow();
    SlowController.release();
    await Promise.all([stopped, slow.stop()]);
    expect((await under).status).toBe(200);
    expect(events).toEqual(['start one', 'start two', 'answer', 'stop two', 'stop one']);
    expect(Date.now() - before, 'a kept connection does not hold it up').toBeLessThan(2_000);
  });

  it('cuts off a request that does not end', async () => {
    const slow = await startService(optionsFor(SlowModule));
    const entered = new Promise<void>((resolve) => {
      SlowController.entered = resolve;
    });
    const under = call('/slow', { base: slow.url });
    const cutOff = expect(under).rejects.toThrow();
    await entered;
    const before = Date.now();
    await slow.stop();
    await cutOff;
    expect(Date.now() - before).toBeLessThan(6_000);
  }, 10_000);

  it('ends the process on SIGTERM, with 0', async () => {
    let exited: (code: number) => void = () => undefined;
    const exit = new Promise<number>((resolve) => {
      exited = resolve;
    });
    await startService(optionsFor(ThingsModule, { exit: exited }));
    // As the signal would, but for this service alone: the other one of this file must go on.
    process.listeners('SIGTERM').at(-1)?.('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('ends the process with 1 and its reason when a part crashes', async () => {
    let exited: (code: number) => void = () => undefined;
    const exit = new Promise<number>((resolve) => {
      exited = resolve;
    });
    let crash: (error: Error) => void = () => undefined;
    const part: Part = { start: async (onCrash) => void (crash = onCrash), stop: () => Promise.resolve() };
    await startService(optionsFor(ThingsModule, { exit: exited, parts: [part] }));
    lines.length = 0;
    crash(new Error('the consumer is dead'));
    expect(await exit).toBe(1);
    expect(lines.join()).toContain('the consumer is dead');
  });
});

/** Sends bytes that `fetch` would refuse to send. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.end(text, 'latin1'));
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    socket.on('close', () => resolve(received)).on('error', reject);
  });
}
