import type { Backend } from './backend.js';
import { fetchKafka } from './kafka-jars.js';
import { startKafkaProcess } from './kafka-process.js';
import { startPostgresProcess } from './postgres-process.js';

/** Kafka and PostgreSQL as processes of ours, everything below the data folder. */
export const processBackend: Backend = {
  name: 'process',
  prepare: fetchKafka,
  clear: async () => undefined,
  startKafka: startKafkaProcess,
  startPostgres: startPostgresProcess,
};
