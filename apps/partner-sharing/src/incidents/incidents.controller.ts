import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { CurrentCaller, Roles, type Caller } from '@castiron/access';
import { because, CanBeLeftOut, IsText, UuidPipe } from '@castiron/service';
import { Type } from 'class-transformer';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { DataSource } from 'typeorm';
import { closeIncident, incidents, viewOf, type IncidentView } from './incident.table.js';

const STATES = ['open', 'closed'] as const;
const MAX_INCIDENTS = 200;

class IncidentsQuery {
  @ApiPropertyOptional({ enum: STATES, default: 'open' })
  @CanBeLeftOut()
  @IsIn([...STATES])
  state?: (typeof STATES)[number];

  @ApiPropertyOptional({ default: 50, maximum: MAX_INCIDENTS })
  @CanBeLeftOut()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_INCIDENTS)
  limit?: number;
}

class Closing {
  @ApiProperty({ description: 'What came of it; no personal data' })
  @IsText(500, because({ promise: 'P10' }))
  reason!: string;
}

/** What must not be, and who answers for it (P10). */
@ApiTags('incidents')
@ApiBearerAuth()
@Controller('incidents')
export class IncidentsController {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  /** Oldest first. */
  @Get()
  @Roles('privacy-officer', 'auditor')
  async read(@Query() { state = 'open', limit = 50 }: IncidentsQuery): Promise<{ incidents: readonly IncidentView[] }> {
    return { incidents: (await incidents(this.dataSource.manager, { state, limit })).map(viewOf) };
  }

  /** Says what came of an incident. What is still so is found again, as another one, unless it is about a place on a feed. */
  @Post(':id/closing')
  @HttpCode(200)
  @Roles('privacy-officer')
  async close(
    @Param('id', UuidPipe) id: string,
    @Body() { reason }: Closing,
    @CurrentCaller() caller: Caller,
  ): Promise<IncidentView> {
    return viewOf(await closeIncident(this.dataSource.manager, { id, by: caller.sub, reason }));
  }
}
