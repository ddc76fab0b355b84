import { FastifyAdapter } from '@nestjs/platform-fastify';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isPublicRoute } from '@castiron/access';
import { MAX_BODY_BYTES } from '@castiron/contracts';
import { Refused } from '@castiron/failures';
import { isCorrelationId, runWithCorrelation, type Logger, type Metrics } from '@castiron/observability';
import { runAwaited, type AwaitedAnswer } from '../database/patience.js';
import { checksOwnText } from './checks-own-text.js';
import { assertCleanHeaders, assertCleanText, assertShallow } from './clean-text.js';
import { readJsonBodies } from './json-body.js';
import { PROBLEM_TYPE, problemOfHttp, problemOfStatus } from './problem.filter.js';

const REQUEST_TIMEOUT_MS = 30_000;

/** Long enough for cancellation tokens, which stand in the path. */
const MAX_PARAM_LENGTH = 1_024;

export interface HttpServer {
  readonly adapter: FastifyAdapter;
  /** Every route that is answered in fact, filled as they are registered. */
  readonly served: { readonly method: string; readonly path: string }[];
  /** From now on every request but health checks is turned away where it comes in on an open connection, and none is kept. */
  turnAway(): void;
}

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Requests that never became one: the parser refused them, so they reach no handler and no filter. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const special =
    status === 400
      ? {
          code: 'malformed-request',
          detail: 'The request line or a header is broken, or holds control characters.',
          field: 'header',
          promise: 'P7',
        }
      : undefined;
  const text = JSON.stringify(problemOfStatus(status, special).body);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

/** Fastify with what each request passes before a handler sees it. */
export function createHttpServer({ logger, metrics }: HttpServerOptions): HttpServer {
  const adapter = new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket),
    frameworkErrors: (error: unknown, _request: FastifyRequest, reply: FastifyReply) => {
      const { status, body } = problemOfHttp(error);
      void reply.status(status).header('content-type', PROBLEM_TYPE).send(body);
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  const served: { method: string; path: string }[] = [];
  let turningAway = false;

  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) served.push({ method: one, path: url });
  });

  const correlations = new WeakMap<FastifyRequest, string>();
  const awaited = new WeakMap<FastifyRequest, AwaitedAnswer>();
  fastify.addHook('onRequest', (request, reply, done) => {
    const given = request.headers['x-correlation-id'];
    const id = isCorrelationId(given) ? given : randomUUID();
    correlations.set(request, id);
    void reply
      .header('x-correlation-id', id)
      .header('cache-control', 'no-store')
      .header('x-content-type-options', 'nosniff');
    runWithCorrelation(id, done);
  });

  fastify.addHook('onRequest', (request, reply, done) => {
    if (turningAway && request.routeOptions.url?.startsWith('/health/') !== true) {
      void reply.header('connection', 'close');
      throw new Refused({
        kind: 'unavailable',
        code: 'stopping',
        detail: 'This instance is stopping. Please try again.',
      });
    }
    assertCleanHeaders(request.headers);
    assertJson(request);
    done();
  });

  // A client that keeps its connection would hold up the stop after its answer came.
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (turningAway) void reply.header('connection', 'close');
    done();
  });

  // The context is entered anew: what runs after the body was read comes from the socket's own context.
  fastify.addHook('preValidation', (request, _reply, done) => {
    runWithCorrelation(correlations.get(request) ?? randomUUID(), () => {
      try {
        assertCleanText(request.params, 'path');
        assertCleanText(request.query, 'query');
        assertShallow(request.body);
        if (!checksOwnText(request.routeOptions.config)) assertCleanText(request.body);
      } catch (error) {
        done(error as Error);
        return;
      }
      const answer = { over: false };
      awaited.set(request, answer);
      runAwaited(answer, done);
    });
  });

  const durations = metrics.histogram('http_request_duration_seconds', 'Time to answer a request.', [
    'method',
    'route',
    'status',
  ]);
  fastify.addHook('onResponse', (request, reply, done) => {
    const answer = awaited.get(request);
    if (answer !== undefined) answer.over = true;
    // The pattern, not the address: an address holds ids and tokens.
    const route = request.routeOptions.url ?? 'none';
    durations.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
    if (!route.startsWith('/health/') && route !== '/metrics') {
      runWithCorrelation(correlations.get(request) ?? '', () =>
        logger.info(
          { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
          'answered',
        ),
      );
    }
    done();
  });

  readJsonBodies(adapter);
  // RFC 8058: mail programs post the one-click cancellation as a form of either kind. What the form says is not needed.
  fastify.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_request, _body, done) => done(null, {}));

  return { adapter, served, turnAway: () => void (turningAway = true) };
}

const JSON_BODY = /^application\/json\s*(?:;|$)/i;

/** Only the public routes take forms: everything else is JSON or nothing. */
function assertJson(request: FastifyRequest): void {
  const type = request.headers['content-type'];
  if (type === undefined || JSON_BODY.test(type)) return;
  if (isPublicRoute(request.method, request.routeOptions.url ?? '')) return;
  throw Object.assign(new Error('not JSON'), { statusCode: 415, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' });
}
