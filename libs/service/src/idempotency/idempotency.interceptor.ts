import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { lastValueFrom, of, type Observable } from 'rxjs';
import type { Caller } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { isChanging } from '../http/changing.js';
import type { Answer, AnswerStore, Hold } from './answer-store.js';
import { currentRequest, runForRequest, type CurrentRequest } from './current-request.js';

/** Visible ASCII; a UUID is what one would send. */
const KEY = /^[\x21-\x7e]{1,128}$/;

/** Headers that belong to an answer and are given again with it. */
const KEPT_HEADERS = ['etag', 'location'];

type RequestOfCaller = FastifyRequest & { readonly caller?: Caller };

/**
 * Gives the same answer, after one effect, to a change that is sent again with its `Idempotency-Key`. PUT and DELETE
 * too: sent again late, they would undo what came in between.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly answers: AnswerStore) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<RequestOfCaller>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const key = request.headers['idempotency-key'];
    // Keys are a caller's own; public routes have none, and are safe to repeat by themselves.
    if (!isChanging(request.method) || key === undefined || request.caller === undefined) return next.handle();
    // Already under way: a handler that names this interceptor itself.
    if (currentRequest() !== undefined) return next.handle();
    if (typeof key !== 'string' || !KEY.test(key)) {
      throw new Refused({
        kind: 'invalid',
        code: 'invalid-idempotency-key',
        field: 'header idempotency-key',
        detail: 'An Idempotency-Key is 1 to 128 visible ASCII characters.',
      });
    }
    const taken = await this.answers.take({
      caller: request.caller.sub,
      key,
      method: request.method,
      address: request.url,
      condition: request.headers['if-match'],
      body: request.body,
    });
    if ('answer' in taken) return of(giveAgain(reply, taken.answer));
    return of(await this.carryOut(taken.hold, next, reply));
  }

  private async carryOut(hold: Hold, next: CallHandler, reply: FastifyReply): Promise<unknown> {
    const current: CurrentRequest = { store: this.answers, hold, answered: false, over: false };
    let body: unknown;
    try {
      body = await runForRequest(current, () => lastValueFrom(next.handle(), { defaultValue: undefined }));
    } catch (error) {
      // What has had an effect keeps its row; the error is what the caller is to see in either case.
      await this.answers.release(hold).catch(() => undefined);
      throw error;
    }
    if (!current.answered)
      await this.answers.finish(hold, { status: reply.statusCode, headers: keptHeaders(reply), body });
    return body;
  }
}

function keptHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => (reply.hasHeader(name) ? [[name, String(reply.getHeader(name))]] : [])),
  );
}

function giveAgain(reply: FastifyReply, answer: Answer): unknown {
  void reply.status(answer.status).headers({ ...answer.headers, 'idempotency-replayed': 'true' });
  return answer.body;
}
