import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { isChanging } from '../http/changing.js';
import { ADDS_NOTHING_METADATA, type AddsNothing } from '../room/takes-away.js';
import { STANDS_STILL_METADATA, type RestoreFence } from './restore-fence.js';

/**
 * While the fence is up, lets through what reads and what takes away. What takes away needs this database alone, and whatever
 * a restored one has forgotten, it can only hold more than was left.
 */
@Injectable()
export class RestoreFenceInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly fence: Pick<RestoreFence, 'assertDown'>,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { method, body } = context.switchToHttp().getRequest<FastifyRequest>();
    const handler = context.getHandler();
    const addsNothing = this.reflector.get<AddsNothing | undefined>(ADDS_NOTHING_METADATA, handler);
    const standsStill = this.reflector.get<boolean | undefined>(STANDS_STILL_METADATA, handler) === true;
    if (standsStill || (isChanging(method) && addsNothing?.(body) !== true)) this.fence.assertDown();
    return next.handle();
  }
}
