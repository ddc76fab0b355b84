import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Roles, services } from '@castiron/access';
import { DOOR_NAMES, type DoorName } from '@castiron/contracts';
import { because, ChecksOwnText, UnknownNames } from '@castiron/service';
import { ArrayMaxSize, IsArray, IsIn } from 'class-validator';
import { MAX_ROWS } from './import-customers.decision.js';
import { ImportCustomersUseCase, type ImportedRow } from './import-customers.use-case.js';

class CustomersToImport {
  /** The door by which these customers came (P12). */
  @ApiProperty({ enum: DOOR_NAMES })
  @IsIn(DOOR_NAMES, because({ promise: 'P12' }))
  door!: DoorName;

  /** Checked one by one, since a bad row must not cost the rest. */
  @ApiProperty({
    maxItems: MAX_ROWS,
    type: 'array',
    items: {
      type: 'object',
      required: ['key', 'attributes'],
      properties: { key: { type: 'string' }, attributes: { type: 'object', additionalProperties: { type: 'string' } } },
    },
  })
  @IsArray()
  @ArrayMaxSize(MAX_ROWS)
  @UnknownNames({ code: 'attribute-unknown', promise: 'P1' })
  rows!: unknown[];
}

class ImportedRowView implements ImportedRow {
  @ApiProperty({ type: String, nullable: true })
  key!: string | null;

  @ApiProperty({ enum: ['created', 'existing', 'refused'] })
  outcome!: ImportedRow['outcome'];

  @ApiProperty({ format: 'uuid', required: false })
  customer?: string;

  @ApiProperty({ required: false })
  reason?: string;
}

class ImportedRows {
  @ApiProperty({ type: [ImportedRowView] })
  rows!: ImportedRowView[];
}

@ApiTags('imports')
@ApiBearerAuth()
@ApiHeader({ name: 'Idempotency-Key', required: false })
@Controller('imports/customers')
@Roles(services('importer'))
export class ImportsController {
  constructor(@Inject(ImportCustomersUseCase) private readonly imports: ImportCustomersUseCase) {}

  /** One answer per row, in the order of the rows. Safe to repeat: a key that is here already is `existing`. */
  @Post()
  @ChecksOwnText()
  @HttpCode(200)
  async import(@Body() { door, rows }: CustomersToImport): Promise<ImportedRows> {
    return { rows: await this.imports.import(door, rows) };
  }
}
