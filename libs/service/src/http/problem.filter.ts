import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAX_BODY_BYTES } from '@castiron/contracts';
import { NoRoom, problemOf, Refused, type ProblemDetails } from '@castiron/failures';
import { correlationId, type Logger } from '@castiron/observability';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** What a failure of the HTTP layer itself tells. */
interface Told {
  readonly code: string;
  readonly detail: string;
  readonly field?: string;
  readonly promise?: string;
}

/** What comes in must break nothing that holds other people's data (P7). */
const ofBody = (code: string, detail: string): Told => ({ code, detail, field: 'body', promise: 'P7' });

/** By the code that Fastify gives them, or `json-body`. */
const OF_CODE: Readonly<Record<string, Told>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ofBody('body-too-large', `The body is over the limit of ${MAX_BODY_BYTES} bytes.`),
  FST_ERR_CTP_EMPTY_JSON_BODY: ofBody('malformed-json', 'The body is empty, and should be JSON.'),
  FST_ERR_CTP_INVALID_JSON_BODY: ofBody('malformed-json', 'The body is not valid JSON.'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported-media-type',
    detail: 'The body must be application/json.',
    field: 'header content-type',
  },
  CASTIRON_NOT_UTF_8: ofBody('not-utf-8', 'The body is not valid UTF-8.'),
  CASTIRON_CHARSET: {
    code: 'unsupported-media-type',
    detail: 'The charset of the body must be UTF-8.',
    field: 'header content-type',
  },
  CASTIRON_CONTENT_ENCODING: {
    code: 'unsupported-media-type',
    detail: 'The body must be sent as it is, without compression.',
    field: 'header content-encoding',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'bad-content-length',
    detail: 'The body is not as long as its header says.',
    field: 'header content-length',
  },
  FST_ERR_BAD_URL: {
    code: 'bad-address',
    detail: 'The address is not properly encoded.',
    field: 'path',
    promise: 'P7',
  },
};

/** The rest of the HTTP layer's refusals, by status. Their own messages may repeat what was sent. */
const OF_STATUS: Readonly<Record<number, { code: string; title: string }>> = {
  400: { code: 'bad-request', title: 'The request is not valid' },
  401: { code: 'unauthenticated', title: 'The caller is not known' },
  403: { code: 'forbidden', title: 'The caller may not do this' },
  404: { code: 'no-such-route', title: 'There is nothing at this address' },
  405: { code: 'method-not-allowed', title: 'The method is not allowed here' },
  406: { code: 'not-acceptable', title: 'There is no such representation' },
  408: { code: 'request-timeout', title: 'The request took too long to arrive' },
  413: { code: 'body-too-large', title: 'The request is too large' },
  414: { code: 'address-too-long', title: 'The address is too long' },
  415: { code: 'unsupported-media-type', title: 'The media type is not supported' },
  431: { code: 'headers-too-large', title: 'The headers are too large' },
};

export function problemOfStatus(status: number, special?: Told): { status: number; body: ProblemDetails } {
  const known = OF_STATUS[status] ?? { code: 'bad-request', title: 'The request is not valid' };
  const code = special?.code ?? known.code;
  return {
    status,
    body: {
      type: `urn:castiron:problem:${code}`,
      title: known.title,
      status,
      ...special,
      code,
    },
  };
}

/** Any failure as status and RFC 9457 body. Only refusals speak for themselves. */
export function problemOfHttp(error: unknown): { status: number; body: ProblemDetails } {
  if (error instanceof Refused) return problemOf(error);
  const source = error instanceof HttpException ? (error.cause ?? error) : error;
  if (error instanceof HttpException && error.getStatus() < 500)
    return problemOfStatus(error.getStatus(), specialOf(source));
  const { statusCode } = (source ?? {}) as { statusCode?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return problemOfStatus(statusCode, specialOf(source));
  return problemOf(error);
}

function specialOf(error: unknown): Told | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'string' && OF_CODE[code] !== undefined) return OF_CODE[code];
  // What a JSON parser throws, by whatever way it came here.
  if (error instanceof SyntaxError) return OF_CODE['FST_ERR_CTP_INVALID_JSON_BODY'];
  return undefined;
}

/** Answers every failure as problem details; what is no refusal is logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<FastifyRequest>();
    const { status, body } = problemOfHttp(error);
    if (status >= 500 && !(error instanceof Refused || error instanceof NoRoom)) {
      this.logger.error({ err: error, method: request.method, route: request.routeOptions?.url }, 'request failed');
    }
    if (reply.sent) return;
    if (status === 401) {
      // RFC 6750, section 3: no error code where no token was sent.
      void reply.header(
        'www-authenticate',
        body.code === 'token-required' ? 'Bearer realm="castiron"' : 'Bearer realm="castiron", error="invalid_token"',
      );
    }
    if (status === 503)
      void reply.header('retry-after', typeof body['retryAfter'] === 'number' ? body['retryAfter'] : 1);
    const id = correlationId();
    void reply
      .status(status)
      .header('content-type', PROBLEM_TYPE)
      // Serialised here: a handler's own serialiser is not to touch a problem.
      .serializer((value: unknown) => JSON.stringify(value))
      .send({ ...body, ...(id !== undefined && { correlationId: id }) });
  }
}
