import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Base64, Long } from '../fields.js';
import { defineTopic } from '../topic.js';

/** One partition: the heads of one tree, in the order in which it grew. */
export const sharingCheckpoints = defineTopic({ name: 'sharing.checkpoints.v1', kind: 'events', partitions: 1 });

/** The head of the ledger's tree was signed (C2SP tlog-checkpoint): each one proves that none before it was rewritten. */
export const checkpointSigned = defineEvent({
  type: 'sharing.checkpoint-signed.v1',
  topic: sharingCheckpoints,
  producer: 'partner-sharing',
  classification: 'public',
  personal: false,
  schema: Type.Object(
    {
      origin: Type.String({ minLength: 1, maxLength: 255, description: "The log's name, which its signatures bear" }),
      size: Long,
      root: Base64,
      checkpoint: Type.String({ maxLength: 4096, description: 'The signed note' }),
    },
    { additionalProperties: false },
  ),
  key: (data) => data.origin,
  example: {
    origin: 'castiron.example/ledger',
    size: '42',
    root: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=',
    checkpoint:
      'castiron.example/ledger\n42\nn4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\n\n— castiron.example/ledger ULr1aQ==\n',
  },
});
