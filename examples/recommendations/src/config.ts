import type { KafkaSettings } from '@castiron/kafka';

export interface Settings {
  readonly kafka: KafkaSettings;
  readonly host: string;
  readonly port: number;
}

/** The only place that reads the environment; names everything that is missing, and shows no password. */
export function readSettings(env: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const needed = ['KAFKA_BROKERS', 'KAFKA_USERNAME', 'KAFKA_PASSWORD'] as const;
  const missing = needed.filter((name) => (env[name] ?? '') === '');
  if (missing.length > 0) throw new Error(`Bad settings: ${missing.join(', ')} missing`);
  const port = Number(env['CASTIRON_PORT'] ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error('Bad settings: CASTIRON_PORT must be a port');
  return Object.freeze({
    kafka: {
      brokers: (env['KAFKA_BROKERS'] ?? '').split(','),
      clientId: 'recommendations',
      username: env['KAFKA_USERNAME'] ?? '',
      password: env['KAFKA_PASSWORD'] ?? '',
      ssl: env['KAFKA_SSL'] === 'true',
    },
    host: env['CASTIRON_HOST'] ?? '127.0.0.1',
    port,
  });
}
