import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { isChanging } from '../http/changing.js';
import { ADDS_NOTHING_METADATA, type AddsNothing } from './takes-away.js';

/** Whether there is room for what adds or widens. */
export interface Room {
  /** @throws NoRoom */
  assertRoom(): void;
}

/** Refuses what adds or widens while there is no room: any changing route that does not say it takes away. */
@Injectable()
export class RoomInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly room: Room,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { method, body } = context.switchToHttp().getRequest<FastifyRequest>();
    const addsNothing = this.reflector.get<AddsNothing | undefined>(ADDS_NOTHING_METADATA, context.getHandler());
    if (isChanging(method) && addsNothing?.(body) !== true) this.room.assertRoom();
    return next.handle();
  }
}
