import { Controller, Get, Inject, Module, SetMetadata, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Public, Roles } from '@castiron/access';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import { startService, type Part } from './index.js';
import { ServiceRig, ThingsModule } from './testing/service.rig.js';

let idp: TestIssuer;
let rig: ServiceRig;

beforeAll(async () => {
  idp = await startTestIssuer();
  rig = new ServiceRig(idp.issuer, await idp.mint('support', 'anna'));
  await rig.start();
});
afterAll(async () => {
  await rig.service.stop();
  await idp.close();
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
    await expect(startService(rig.optionsFor(ForgottenModule))).rejects.toThrow(
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
    await expect(startService(rig.optionsFor(OpenModule))).rejects.toThrow(
      'GET /open (OpenController.it) is public, but not in the closed list',
    );
  });

  it('where a route lets services in without naming them', async () => {
    @Controller('wide')
    class WideController {
      // Such as somebody would write past the decorator, whose types do not allow it.
      @SetMetadata('castiron:admission', { roles: ['customer', 'service'], services: [] })
      @Get()
      it(): object {
        return {};
      }
    }
    @Module({ controllers: [WideController] })
    class WideModule {}
    await expect(startService(rig.optionsFor(WideModule))).rejects.toThrow(
      'GET /wide (WideController.it) lets services in without naming one',
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
    await expect(startService(rig.optionsFor(BackDoorModule))).rejects.toThrow(
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
    await expect(startService(rig.optionsFor(ThingsModule, { parts: [good, bad] }))).rejects.toThrow('no broker');
    expect(stopped).toEqual(['bad', 'good']);
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
    const slow = await startService(rig.optionsFor(SlowModule, { parts: [part('one'), part('two')] }));
    const entered = new Promise<void>((resolve) => {
      SlowController.entered = resolve;
    });
    SlowController.left = () => void events.push('answer');
    const under = rig.call('/slow', { base: slow.url });
    await entered;
    const before = Date.now();
    const stopped = slow.stop();
    await expect(rig.call('/health/live', { base: slow.url })).rejects.toThrow();
    SlowController.release();
    await Promise.all([stopped, slow.stop()]);
    expect((await under).status).toBe(200);
    expect(events).toEqual(['start one', 'start two', 'answer', 'stop two', 'stop one']);
    expect(Date.now() - before, 'a kept connection does not hold it up').toBeLessThan(2_000);
  });

  it('cuts off a request that does not end', async () => {
    const slow = await startService(rig.optionsFor(SlowModule));
    const entered = new Promise<void>((resolve) => {
      SlowController.entered = resolve;
    });
    const under = rig.call('/slow', { base: slow.url });
    const cutOff = expect(under).rejects.toThrow();
    await entered;
    const before = Date.now();
    await slow.stop();
    await cutOff;
    expect(Date.now() - before).toBeLessThan(6_000);
  }, 10_000);

  it('reaches its parts although a module does not close well', async () => {
    @Module({})
    class StubbornModule implements OnModuleDestroy {
      onModuleDestroy(): void {
        throw new Error('not now');
      }
    }
    const stopped: string[] = [];
    const part: Part = { start: () => Promise.resolve(), stop: async () => void stopped.push('part') };
    const stubborn = await startService(rig.optionsFor(StubbornModule, { parts: [part] }));
    await stubborn.stop();
    expect(stopped).toEqual(['part']);
  });

  it('ends the process on SIGTERM, with 0', async () => {
    let exited: (code: number) => void = () => undefined;
    const exit = new Promise<number>((resolve) => {
      exited = resolve;
    });
    await startService(rig.optionsFor(ThingsModule, { exit: exited }));
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
    await startService(rig.optionsFor(ThingsModule, { exit: exited, parts: [part] }));
    rig.lines.length = 0;
    crash(new Error('the consumer is dead'));
    expect(await exit).toBe(1);
    expect(rig.lines.join()).toContain('the consumer is dead');
  });
});
