import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { isUtf8 } from 'node:buffer';
import { MIMEType } from 'node:util';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const UTF_8 = /^utf-?8$/i;

const NOT_ENCODED = /^(?:identity)?$/i;

/** Clients send their usual headers with a DELETE too, and none of ours needs a body. */
const mayLackBody = ({ method }: FastifyRequest): boolean => method === 'DELETE';

const refusal = (statusCode: number, code: string): Error => Object.assign(new Error(code), { statusCode, code });

function charsetOf(type: string): string | null {
  try {
    return new MIMEType(type).params.get('charset');
  } catch {
    // Fastify takes more than HTTP does for the white space around a type.
    throw refusal(415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE');
  }
}

/** Text in another form than UTF-8 would be read as other text than was sent, and nobody would know. */
function assertReadable({ headers }: FastifyRequest, body: Buffer): void {
  if (!NOT_ENCODED.test(headers['content-encoding'] ?? '')) throw refusal(415, 'CASTIRON_CONTENT_ENCODING');
  const charset = charsetOf(headers['content-type'] ?? '');
  if (charset !== null && !UTF_8.test(charset)) throw refusal(415, 'CASTIRON_CHARSET');
  if (!isUtf8(body)) throw refusal(400, 'CASTIRON_NOT_UTF_8');
}

/** The one way JSON bodies are read (RFC 8259, section 8.1): as Fastify does, once it is certain that they are UTF-8. */
export function readJsonBodies(adapter: FastifyAdapter): void {
  const parse = adapter.getInstance<FastifyInstance>().getDefaultJsonParser('error', 'error');
  adapter.useBodyParser('application/json', false, {}, (request, body, done) => {
    if (body.length === 0 && mayLackBody(request)) {
      done(null, undefined);
      return;
    }
    if (body.length > 0) assertReadable(request, body);
    void parse(request, body.toString(), done);
  });
}
