import type { Done } from '../history.js';
import type { Observed } from './observed.js';

/**
 * The operations, with the customers of those registrations that were never answered and came to pass all the same. What
 * a registration writes to `servicesUsed` is never changed, so that it tells whose customer this is.
 */
export function placed({ operations, finals, run }: Observed): Done[] {
  const customers = new Map([...finals].map(([customer, { attributes }]) => [attributes['servicesUsed'], customer]));
  return operations.map((done) =>
    done.operation.kind === 'register' && done.customer === undefined
      ? { ...done, customer: customers.get(`${run}-${done.operation.id}`) }
      : done,
  );
}
