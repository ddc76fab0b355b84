import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Roles, services } from '@castiron/access';
import { ATTRIBUTES, DOORS, PURPOSES } from '@castiron/contracts';

/** What is asked for, for which purpose, and whether it is compulsory (P1). */
@ApiTags('catalogue')
@ApiBearerAuth()
@Controller('catalogue')
@Roles('customer', 'support', 'privacy-officer', 'auditor', 'partner', services('portal'))
export class CatalogueController {
  @Get()
  read(): { attributes: typeof ATTRIBUTES; purposes: typeof PURPOSES; doors: typeof DOORS } {
    return { attributes: ATTRIBUTES, purposes: PURPOSES, doors: DOORS };
  }
}
