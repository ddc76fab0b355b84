import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Long, Uuid } from '../fields.js';
import { defineTopic } from '../topic.js';

/** A partition for each lane: where a transaction stays open on one, the others can be read all the same. */
export const sharingLanes = defineTopic({ name: 'sharing.lanes.v2', kind: 'state', partitions: 16 });

/**
 * The journal of a feed lane: written in the same Kafka transaction as the batch it names, so that reading it
 * (read_committed) tells whether the whole batch is committed. Internal to partner-sharing.
 */
export const laneBatchSent = defineEvent({
  type: 'sharing.lane-batch-sent.v1',
  topic: sharingLanes,
  producer: 'partner-sharing',
  classification: 'internal',
  personal: false,
  schema: Type.Object(
    { lane: Type.Integer({ minimum: 0, maximum: 15 }), token: Long, batch: Uuid },
    { additionalProperties: false },
  ),
  key: (data) => String(data.lane),
  example: { lane: 7, token: '12', batch: '0193566f-8a3c-7cc1-9d3f-0242ac120002' },
});
