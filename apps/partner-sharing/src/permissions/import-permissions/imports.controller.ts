import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Roles, services } from '@castiron/access';
import { ChecksOwnText } from '@castiron/service';
import { ArrayMaxSize, IsArray } from 'class-validator';
import { ImportPermissionsUseCase, type ImportedPermission } from './import-permissions.use-case.js';

const MAX_ROWS = 500;

class PermissionsToImport {
  /** Checked one by one, since a bad row must not cost the rest. */
  @ApiProperty({
    maxItems: MAX_ROWS,
    type: 'array',
    items: {
      type: 'object',
      required: ['customer', 'recipient', 'purpose', 'givenAt', 'how', 'statementVersion'],
      properties: {
        customer: { type: 'string', format: 'uuid' },
        recipient: { type: 'string' },
        purpose: { type: 'string' },
        givenAt: { type: 'string', format: 'date-time' },
        how: { type: 'string' },
        statementVersion: { type: 'integer', minimum: 1 },
      },
    },
  })
  @IsArray()
  @ArrayMaxSize(MAX_ROWS)
  rows!: unknown[];
}

@ApiTags('imports')
@ApiBearerAuth()
@Controller('imports/permissions')
@Roles(services('importer'))
export class ImportPermissionsController {
  constructor(@Inject(ImportPermissionsUseCase) private readonly imports: ImportPermissionsUseCase) {}

  /** One answer per row, in the order of the rows. Safe to repeat; never grants anew what was revoked. */
  @Post()
  @ChecksOwnText()
  @HttpCode(200)
  async import(@Body() { rows }: PermissionsToImport): Promise<{ rows: readonly ImportedPermission[] }> {
    return { rows: await this.imports.import(rows) };
  }
}
