import type { Backend } from './backend.js';
import { KAFKA_JARS } from './jars.js';
import { startKafkaProcess } from './kafka-process.js';
import { startPostgresProcess } from './postgres-process.js';

/** Kafka and PostgreSQL as processes of ours, everything below the data folder. */
export const processBackend: Backend = {
  name: 'process',
  prepare: () => KAFKA_JARS.fetch(),
  clear: async () => undefined,
  startKafka: startKafkaProcess,
  startPostgres: startPostgresProcess,
};
