import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { Refused } from '@castiron/failures';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * An id in the path: `@Param('customer', UuidPipe)`. It comes out in lower case, as the database writes it (RFC 9562,
 * section 4): keys, seals, tokens and locks are bound to that spelling.
 *
 * @throws Refused invalid (400) naming the parameter, never the value
 */
export class UuidPipe implements PipeTransform<unknown, string> {
  transform(given: unknown, { data }: ArgumentMetadata): string {
    const id = typeof given === 'string' ? given.toLowerCase() : '';
    if (UUID.test(id)) return id;
    throw new Refused({
      kind: 'invalid',
      code: 'not-a-uuid',
      detail: 'An id here is a UUID.',
      // Named like any other fault of a path.
      field: data === undefined ? 'path' : `path.${data}`,
      promise: 'P7',
    });
  }
}
