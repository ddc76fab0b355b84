import { Body, Controller, Inject, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Roles, services } from '@castiron/access';
import type { DoorName } from '@castiron/contracts';
import { answerWithEffect, because, etagOf, UnknownNames } from '@castiron/service';
import { IsObject } from 'class-validator';
import { RegisterCustomerUseCase } from './register-customer.use-case.js';

class Registration {
  /** Values by the catalogue's attribute names. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: { email: 'someone@example.com' } })
  @IsObject(because({ promise: 'P1' }))
  @UnknownNames({ code: 'attribute-unknown', promise: 'P1' })
  attributes!: Record<string, unknown>;
}

class Registered {
  @ApiProperty({ format: 'uuid' })
  customer!: string;

  @ApiProperty({ minimum: 1 })
  version!: number;
}

interface Reply {
  header(name: string, value: string): unknown;
}

/** The three doors by which identifying data arrives (P12). */
@ApiTags('registration')
@ApiBearerAuth()
@ApiHeader({ name: 'Idempotency-Key', required: false })
@Controller('registrations')
@Roles(services('portal'))
export class RegistrationsController {
  constructor(@Inject(RegisterCustomerUseCase) private readonly registrations: RegisterCustomerUseCase) {}

  @Post('service-order')
  orderService(@Body() body: Registration, @Res({ passthrough: true }) reply: Reply): Promise<Registered> {
    return this.register('service-order', body, reply);
  }

  @Post('subscription')
  subscribe(@Body() body: Registration, @Res({ passthrough: true }) reply: Reply): Promise<Registered> {
    return this.register('subscription', body, reply);
  }

  @Post('job-application')
  apply(@Body() body: Registration, @Res({ passthrough: true }) reply: Reply): Promise<Registered> {
    return this.register('job-application', body, reply);
  }

  private async register(door: DoorName, { attributes }: Registration, reply: Reply): Promise<Registered> {
    const command = { door, origin: 'registered', attributes } as const;
    const registered = await this.registrations.register(command, (manager, body) =>
      answerWithEffect(manager, { status: 201, headers: { etag: etagOf(body.version) }, body }),
    );
    reply.header('etag', etagOf(registered.version));
    return registered;
  }
}
