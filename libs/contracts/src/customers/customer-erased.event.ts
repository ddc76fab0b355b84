import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Instant, Uuid } from '../fields.js';
import { defineTopic } from '../topic.js';

export const customersErasures = defineTopic({ name: 'customers.erasures.v1', kind: 'state', partitions: 6 });

/**
 * A customer was erased (G4): nothing of theirs is kept but this. An end state that is never tombstoned, so that whoever is
 * restored from a backup can erase again.
 */
export const customerErased = defineEvent({
  type: 'customers.customer-erased.v1',
  topic: customersErasures,
  producer: 'customer-profiles',
  classification: 'internal',
  personal: true,
  schema: Type.Object(
    {
      customer: Uuid,
      /** Named by `sharing.fence-stood.v1` once nothing of the customer can get onto a feed any more. */
      command: Uuid,
      at: Instant,
    },
    { additionalProperties: false },
  ),
  key: (data) => data.customer,
  example: {
    customer: '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
    command: '0d8a1f0e-1a55-4f0e-9f2a-6a1c9f6b7c11',
    at: '2026-11-23T09:00:00.000Z',
  },
});
