import 'reflect-metadata';
import {
  Module,
  type DynamicModule,
  type INestApplicationContext,
  type LoggerService,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory, Reflector } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccessGuard, assertEveryRouteDeclared, TokenVerifier } from '@castiron/access';
import { Health, type Logger, type Metrics } from '@castiron/observability';
import { OperationsController } from './http/operations.controller.js';
import { ProblemFilter } from './http/problem.filter.js';
import { createHttpServer } from './http/server.js';
import { validationPipe } from './http/validation.js';
import { AnswerStore } from './idempotency/answer-store.js';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.js';
import { serveOpenApi } from './openapi.js';
import type { Part } from './part.js';
import type { RestoreFence } from './restore/restore-fence.js';
import { RestoreFenceInterceptor } from './restore/restore-fence.interceptor.js';
import { RoomInterceptor, type Room } from './room/room.interceptor.js';
import type { ServiceSettings } from './service-settings.js';
import { METRICS } from './tokens.js';

export interface ServiceOptions<Settings extends ServiceSettings = ServiceSettings> {
  readonly name: string;
  readonly module: Type | DynamicModule;
  readonly settings: Settings;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Started in this order before HTTP listens, stopped in the opposite order after it drained. */
  readonly parts?: readonly Part[] | ((app: INestApplicationContext) => readonly Part[]);
  /** Where answers to requests with an `Idempotency-Key` are kept; without it such a header does nothing. */
  readonly answers?: AnswerStore;
  /** Refuses what adds or widens where there is none; without it there always is. */
  readonly room?: Room;
  /** Refuses, while it is up, what neither reads nor takes away. */
  readonly fence?: RestoreFence;
  /** Ends the process; tests put something gentler here. */
  readonly exit?: (code: number) => void;
}

export interface RunningService {
  readonly url: string;
  readonly app: INestApplicationContext;
  /** Drains: no new work, what is under way gets its time, parts stop in turn. Safe to call twice. */
  stop(): Promise<void>;
  /** A part died: tells why, drains, and ends the process with 1. */
  crash(error: Error): void;
}

/** Open requests get this long to finish once the service stops. */
const DRAIN_HTTP_MS = 4_000;

/** All of a stop takes less than the 10 s after which a supervisor kills. */
const STOP_DEADLINE_MS = 9_000;

@Module({})
class ServiceRoot {}

/** Nest's own words: its progress is debug detail to us, and objects it may hand over are not logged. */
function nestLogger(logger: Logger): LoggerService {
  const words = (message: unknown): string =>
    typeof message === 'string' ? message : message instanceof Error ? message.name : 'object';
  return {
    log: (message: unknown) => logger.debug(words(message)),
    debug: (message: unknown) => logger.debug(words(message)),
    verbose: (message: unknown) => logger.trace(words(message)),
    warn: (message: unknown) => logger.warn(words(message)),
    error: (message: unknown) => logger.error(words(message)),
    fatal: (message: unknown) => logger.fatal(words(message)),
  };
}

function rootModule(options: ServiceOptions): DynamicModule {
  const { settings, logger, metrics, health, answers, room, fence } = options;
  const tokens = new TokenVerifier({ issuer: settings.oidcIssuer });
  const shared: Provider[] = [
    { provide: METRICS, useValue: metrics },
    { provide: Health, useValue: health },
  ];
  return {
    module: ServiceRoot,
    global: true,
    imports: [options.module],
    controllers: [OperationsController],
    providers: [
      ...shared,
      {
        provide: APP_GUARD,
        inject: [Reflector],
        useFactory: (reflector: Reflector) => new AccessGuard(reflector, tokens),
      },
      { provide: APP_FILTER, useValue: new ProblemFilter(logger) },
      { provide: APP_PIPE, useValue: validationPipe() },
      ...(answers === undefined ? [] : [{ provide: APP_INTERCEPTOR, useValue: new IdempotencyInterceptor(answers) }]),
      ...(fence === undefined
        ? []
        : [
            {
              provide: APP_INTERCEPTOR,
              inject: [Reflector],
              useFactory: (reflector: Reflector) => new RestoreFenceInterceptor(reflector, fence),
            },
          ]),
      // Inside of that one: an answer that was given once is given again, room or none.
      ...(room === undefined
        ? []
        : [
            {
              provide: APP_INTERCEPTOR,
              inject: [Reflector],
              useFactory: (reflector: Reflector) => new RoomInterceptor(reflector, room),
            },
          ]),
    ],
    exports: shared.map((provider) => (provider as { provide: symbol }).provide),
  };
}

const within = async (ms: number, work: Promise<unknown>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), deadline]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Starts a service: routes behind guard, validation and problem details; parts; then HTTP. Rejects, with everything
 * stopped again, where a route declares no role, a part does not start, or the port is taken.
 */
export async function startService<Settings extends ServiceSettings>(
  options: ServiceOptions<Settings>,
): Promise<RunningService> {
  const { name, settings, logger, metrics, health } = options;
  const exit = options.exit ?? ((code: number) => process.exit(code));
  const server = createHttpServer({ logger, metrics });
  const app = await NestFactory.create<NestFastifyApplication>(rootModule(options), server.adapter, {
    logger: nestLogger(logger),
    abortOnError: false,
  });

  const started: Part[] = [];
  let stopping: Promise<void> | undefined;

  async function stopAll(): Promise<void> {
    server.turnAway();
    // Idle connections close at once, busy ones after their answer; whoever is still there then is cut off.
    // Parts are to stop whatever becomes of the module's own hooks.
    const closing = app
      .close()
      .catch((error: unknown) => logger.error({ err: error }, 'the module did not close well'));
    if (!(await within(DRAIN_HTTP_MS, closing))) {
      logger.warn('cutting off requests that did not end');
      app.getHttpServer().closeAllConnections();
      await closing;
    }
    for (const part of started.reverse()) {
      await part
        .stop()
        .catch((error: unknown) => logger.error({ err: error, part: part.name }, 'a part did not stop well'));
    }
  }

  const stop = (): Promise<void> => {
    stopping ??= stopAll().finally(unlisten);
    return stopping;
  };

  /** Stops and exits, or exits without having stopped once the time is up. */
  const end = async (code: number): Promise<void> => {
    const inTime = await within(STOP_DEADLINE_MS, stop()).catch(() => false);
    if (!inTime) logger.error('did not stop in time');
    exit(inTime ? code : 1);
  };

  let ending = false;
  const crash = (error: Error): void => {
    if (ending) return;
    ending = true;
    logger.fatal({ err: error }, 'ending after a crash');
    void end(1);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    // A terminal and a supervisor may both send one: the second changes nothing.
    if (ending) return;
    ending = true;
    logger.info({ signal }, 'stopping');
    void end(0);
  };
  const onStray = (error: unknown): void =>
    crash(error instanceof Error ? error : new Error('something else than an error was thrown'));
  process
    .on('SIGTERM', onSignal)
    .on('SIGINT', onSignal)
    .on('uncaughtException', onStray)
    .on('unhandledRejection', onStray);
  function unlisten(): void {
    process
      .off('SIGTERM', onSignal)
      .off('SIGINT', onSignal)
      .off('uncaughtException', onStray)
      .off('unhandledRejection', onStray);
  }

  try {
    health.addCheck('running', () => {
      if (stopping !== undefined) throw new Error('stopping');
    });
    serveOpenApi(app, name);
    await app.init();
    assertEveryRouteDeclared(app, server.served);
    const parts = typeof options.parts === 'function' ? options.parts(app) : (options.parts ?? []);
    for (const part of parts) {
      // Listed before it is started: one that started half is stopped too.
      started.push(part);
      await part.start(crash);
    }
    await app.listen(settings.port, settings.host);
  } catch (error) {
    await stop();
    throw error;
  }

  const url = await app.getUrl();
  logger.info({ url }, 'listening');
  return { url, app, stop, crash };
}
