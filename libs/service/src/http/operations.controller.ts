import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '@castiron/access';
import { Health, type Metrics } from '@castiron/observability';
import { METRICS } from '../tokens.js';

/** What those who run the service ask it. */
@ApiExcludeController()
@Controller()
export class OperationsController {
  constructor(
    @Inject(Health) private readonly health: Health,
    @Inject(METRICS) private readonly metrics: Metrics,
  ) {}

  /** The process answers; says nothing about what it depends on. */
  @Public()
  @Get('health/live')
  live(): { ok: true } {
    return { ok: true };
  }

  /** 503 while something that requests need is away, or it is stopping. What else is away is told beside. */
  @Public()
  @Get('health/ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): ReturnType<Health['ready']> {
    const state = await this.health.ready();
    void reply.status(state.ok ? 200 : 503);
    return state;
  }

  @Public()
  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  exposition(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
