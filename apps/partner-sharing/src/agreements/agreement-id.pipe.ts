import type { PipeTransform } from '@nestjs/common';
import { Refused } from '@castiron/failures';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An agreement's id as the database writes it: epoch locks and outbox keys are made of that spelling. */
export class AgreementIdPipe implements PipeTransform<string, string> {
  transform(given: string): string {
    const agreement = given.toLowerCase();
    if (UUID.test(agreement)) return agreement;
    throw new Refused({
      kind: 'invalid',
      code: 'agreement-not-an-id',
      detail: 'An agreement is named by a UUID.',
      field: 'agreement',
    });
  }
}
