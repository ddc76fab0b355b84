import { join } from 'node:path';
import { Jars } from '@castiron/local-stack';

/** Deep in `src` and in `dist` alike. */
const FOLDER = join(import.meta.dirname, '../../../debezium');

/** A Kafka Connect worker with Debezium's connector for PostgreSQL. */
export const DEBEZIUM_JARS = new Jars({
  name: 'debezium',
  pom: join(FOLDER, 'pom.xml'),
  sources: [join(FOLDER, 'src/main/java/castiron/HeadersOfColumn.java')],
  megabytes: 39,
});
