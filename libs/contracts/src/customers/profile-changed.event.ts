import { Type } from 'typebox';
import { DOOR_NAMES, PURPOSE_NAMES } from '../catalogue.js';
import { defineEvent } from '../event.js';
import { Base64, Instant, perAttribute, Uuid, Version } from '../fields.js';
import { defineTopic } from '../topic.js';

export const customersProfiles = defineTopic({ name: 'customers.profiles.v1', kind: 'state', partitions: 6 });

/**
 * All that is known of a customer, sealed. `attributes.<name>.sealed` is AES-256-GCM under the customer's data key,
 * bound to customer, attribute and `attributes.<name>.version`, the profile's version at which the value was given.
 */
export const profileChanged = defineEvent({
  type: 'customers.profile-changed.v1',
  topic: customersProfiles,
  producer: 'customer-profiles',
  classification: 'restricted',
  personal: true,
  schema: Type.Object(
    {
      customer: Uuid,
      version: Version,
      door: Type.Enum(DOOR_NAMES),
      purposes: Type.Array(Type.Enum(PURPOSE_NAMES), { uniqueItems: true }),
      /** `imported` customers were customers before: they get no welcome. */
      origin: Type.Enum(['registered', 'imported']),
      statementVersion: Version,
      registeredAt: Instant,
      attributes: perAttribute(Type.Object({ version: Version, sealed: Base64 }, { additionalProperties: false })),
      /**
       * The last withdrawal of attributes, if there was one; named by `sharing.fence-stood.v1` once what was withdrawn can get
       * onto no feed any more. Each later version names it too: the topic keeps the last one alone.
       */
      withdrawal: Type.Optional(Uuid),
    },
    { additionalProperties: false },
  ),
  key: (data) => data.customer,
  example: {
    customer: '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
    version: 3,
    door: 'service-order',
    purposes: ['invoicing', 'service-delivery', 'security', 'notices'],
    origin: 'registered',
    statementVersion: 1,
    registeredAt: '2026-11-23T09:00:00.000Z',
    attributes: { companyName: { version: 1, sealed: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } },
  },
});
