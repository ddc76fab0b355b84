import type { Refusal } from '@castiron/failures';

export const noSuchCustomer: Refusal = {
  kind: 'not-found',
  code: 'customer-not-found',
  detail: 'There is no such customer.',
};
