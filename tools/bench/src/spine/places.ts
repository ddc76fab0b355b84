import type { KafkaSettings } from '@castiron/kafka';

/** Where a side works; plain data. */
export interface Places {
  readonly kafka: KafkaSettings;
  /** A database of the figure's own, with the tables of outbox and inbox. */
  readonly url: string;
}

export interface OnTopic extends Places {
  readonly topic: string;
}
