import { Body, Controller, Header, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { Roles, services } from '@castiron/access';
import { OnlyReads, StandsStillWhileFenced } from '@castiron/service';
import { MAX_KEYS_PER_CALL } from '@castiron/encryption';
import { Refused } from '@castiron/failures';
import { ArrayMaxSize, IsArray, IsUUID } from 'class-validator';
import { KeyCustody } from '../key-custody.js';

class WantedKeys {
  @ApiProperty({ type: [String], format: 'uuid', maxItems: MAX_KEYS_PER_CALL })
  @IsArray()
  @ArrayMaxSize(MAX_KEYS_PER_CALL)
  @IsUUID('all', { each: true })
  customers!: string[];
}

class KeysOfCustomer {
  @ApiProperty({ format: 'uuid' })
  customer!: string;

  @ApiProperty({ format: 'byte' })
  dataKey!: string;

  @ApiProperty({ format: 'byte' })
  ledgerKey!: string;
}

class HandedOutKeys {
  @ApiProperty({ type: [KeysOfCustomer] })
  keys!: KeysOfCustomer[];
}

/** For the only service that may open customers' values outside this one (P7). */
@ApiTags('internal')
@ApiBearerAuth()
@Controller('internal/keys')
@Roles(services('partner-sharing'))
export class KeysController {
  constructor(@Inject(KeyCustody) private readonly custody: KeyCustody) {}

  /** Customers without keys (unknown, or erased), or with keys that cannot be opened, are missing from the answer. */
  @Post()
  @OnlyReads()
  @StandsStillWhileFenced()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async handOut(
    @Body() { customers }: WantedKeys,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ): Promise<HandedOutKeys> {
    if (idempotencyKey !== undefined) {
      // Such an answer would be kept, in the customers' database and its backups, where no key may lie.
      throw new Refused({
        kind: 'invalid',
        code: 'answer-never-kept',
        detail: 'Answers with keys are never kept: ask again without an Idempotency-Key.',
        field: 'header idempotency-key',
        promise: 'P7',
      });
    }
    const keys = await this.custody.keysOf(customers);
    return {
      keys: [...keys].map(([customer, { dataKey, ledgerKey }]) => ({
        customer,
        dataKey: dataKey.toString('base64'),
        ledgerKey: ledgerKey.toString('base64'),
      })),
    };
  }
}
