import { Body, Controller, Get, HttpCode, Inject, Module, Post, type DynamicModule } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { Roles } from '@castiron/access';
import { Refused } from '@castiron/failures';
import { CanBeLeftOut } from '../http/can-be-left-out.js';
import { OnlyTakesAway } from '../room/takes-away.js';
import type { RestoreFence } from './restore-fence.js';
import type { RestoreGuard } from './restore-guard.js';

export const RECOVERY = Symbol('castiron:recovery');

export interface RecoveryOf {
  readonly fence: RestoreFence;
  readonly guard: () => RestoreGuard;
}

class RecoveryDto {
  @ApiProperty({ required: false, default: false, description: 'Tell what would be done, and do nothing' })
  @CanBeLeftOut()
  @IsBoolean()
  dryRun?: boolean;
}

/** Whether a restored database has caught up, and having it catch up (G13). */
@ApiTags('recovery')
@ApiBearerAuth()
@Controller('recovery')
@Roles('privacy-officer')
export class RecoveryController {
  constructor(@Inject(RECOVERY) private readonly of: RecoveryOf) {}

  @Get()
  @Roles('privacy-officer', 'auditor', 'support')
  @ApiOperation({ summary: 'Whether this service stands still, why, and what a recovery did or would do' })
  async read(): Promise<object> {
    const { fence, guard } = this.of;
    const run = await guard().lastRun();
    return { fenced: fence.state !== undefined, ...(fence.state && { because: fence.state }), ...(run && { run }) };
  }

  /** 202: it goes on in the background, see `GET /recovery`. 409 where one is under way, or there is nothing to recover. */
  @Post()
  @HttpCode(202)
  @OnlyTakesAway()
  @ApiOperation({ summary: 'Re-applies what was taken away since the backup was made' })
  async recover(@Body() { dryRun = false }: RecoveryDto): Promise<object> {
    const { fence, guard } = this.of;
    if (guard().isRecovering)
      throw new Refused({ kind: 'conflict', code: 'recovery-under-way', detail: 'A recovery is under way.' });
    if (fence.state?.reason === 'unread')
      throw new Refused({
        kind: 'unavailable',
        code: 'topics-not-read',
        detail: 'The topics of this service cannot be read: nothing can be re-applied from them.',
        retryAfter: 5,
      });
    if (fence.state === undefined)
      throw new Refused({
        kind: 'conflict',
        code: 'not-behind',
        detail: 'This service has all that it told others: there is nothing to recover.',
      });
    guard().recover(dryRun);
    return this.read();
  }
}

@Module({})
class RecoveryModule {}

/** The routes of services that can be restored. */
export const recoveryModule = (of: RecoveryOf): DynamicModule => ({
  module: RecoveryModule,
  controllers: [RecoveryController],
  providers: [{ provide: RECOVERY, useValue: of }],
});
