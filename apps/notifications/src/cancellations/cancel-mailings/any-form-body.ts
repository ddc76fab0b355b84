import type { OnModuleInit } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';

/** What is needed of Fastify. */
interface BodyParsers {
  hasContentTypeParser(type: string): boolean;
  addContentTypeParser(
    type: string,
    options: { parseAs: 'buffer' },
    parser: (request: unknown, body: Buffer, done: (error: null, body: undefined) => void) => void,
  ): void;
}

/**
 * RFC 8058 has mailboxes post their one click as a form, and recommends multipart. Such bodies are read (within the
 * limit) and dropped: the link says everything.
 */
export class AnyFormBody implements OnModuleInit {
  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<BodyParsers>();
    for (const type of ['multipart/form-data', 'application/x-www-form-urlencoded']) {
      if (server.hasContentTypeParser(type)) continue;
      server.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined));
    }
  }
}
