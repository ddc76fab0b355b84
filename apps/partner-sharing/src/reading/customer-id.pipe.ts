import type { PipeTransform } from '@nestjs/common';
import { Refused } from '@castiron/failures';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A customer's id as the database writes it: tokens are bound to that spelling. */
export class CustomerIdPipe implements PipeTransform<string, string> {
  transform(given: string): string {
    const customer = given.toLowerCase();
    if (UUID.test(customer)) return customer;
    throw new Refused({
      kind: 'invalid',
      code: 'customer-not-an-id',
      detail: 'A customer is named by a UUID.',
      field: 'customer',
    });
  }
}
