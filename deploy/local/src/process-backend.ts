import type { Backend } from './backend.js';
import { startKafkaProcess } from './kafka-process.js';
import { startPostgresProcess } from './postgres-process.js';

/** Kafka and PostgreSQL as processes of ours, everything below the data folder. */
export const processBackend: Backend = {
  name: 'process',
  clear: async () => undefined,
  startKafka: startKafkaProcess,
  startPostgres: startPostgresProcess,
};
