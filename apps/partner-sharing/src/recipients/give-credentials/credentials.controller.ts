import { Controller, Inject, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles } from '@castiron/access';
import { GiveCredentialsUseCase, type Credentials } from './give-credentials.use-case.js';

@ApiTags('recipients')
@ApiBearerAuth()
@Controller('recipients/:slug/credentials')
@Roles('privacy-officer')
export class CredentialsController {
  constructor(@Inject(GiveCredentialsUseCase) private readonly credentials: GiveCredentialsUseCase) {}

  /** A new password for the recipient's principal on the broker, shown this once. */
  @Post()
  give(@Param('slug') slug: string): Promise<Credentials> {
    return this.credentials.give(slug);
  }
}
