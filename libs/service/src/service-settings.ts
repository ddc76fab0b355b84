import { fixed, flag, list, oneOf, text, url, wholeNumber, type SettingsOf, type Spec } from './settings.js';

/** What every service with HTTP needs. Spread into the specification of a service's `config.ts`. */
export const httpSettings = (name: string) =>
  ({
    name: fixed(name),
    port: wholeNumber('CASTIRON_PORT', { min: 0, max: 65_535 }),
    host: text('CASTIRON_HOST', { fallback: '127.0.0.1' }),
    logLevel: oneOf('LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { fallback: 'info' }),
    oidcIssuer: url('OIDC_ISSUER', ['http:', 'https:']),
  }) satisfies Spec;

/** What a service with a database, the outbox and the inbox needs on top. */
export const messagingSettings = {
  databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:'], { secret: true }),
  kafkaBrokers: list('KAFKA_BROKERS', { each: /^[^\s:]+:\d+$/ }),
  kafkaUsername: text('KAFKA_USERNAME'),
  kafkaPassword: text('KAFKA_PASSWORD', { secret: true }),
  kafkaSsl: flag('KAFKA_SSL', { fallback: false }),
  /**
   * How long a silent process keeps the lanes and partitions it holds. Shorter, and a slow moment costs it them. Below 4 s
   * the broker's `group.min.session.timeout.ms` must be less than its default, or it takes no consumer.
   */
  leaseMs: wholeNumber('LEASE_MS', { min: 1_000, max: 60_000, fallback: 10_000 }),
  /** Ids that may wait in the outbox; beyond, what adds or widens is refused. Some 1 kB of disk each, and up to 1 MiB. */
  outboxLimit: wholeNumber('OUTBOX_LIMIT', { min: 1, max: 1_000_000_000, fallback: 1_000_000 }),
  /** The service's own key, for parked messages and stored answers. */
  serviceKeyFile: text('SERVICE_KEY_FILE'),
} satisfies Spec;

/** What a service needs that calls others. */
export const clientSettings = {
  oidcClientId: text('OIDC_CLIENT_ID'),
  oidcClientSecret: text('OIDC_CLIENT_SECRET', { secret: true }),
} satisfies Spec;

/** Settings of a process that answers over HTTP. */
export type ServiceSettings = SettingsOf<ReturnType<typeof httpSettings>>;

/** Settings of a service with a database and Kafka. */
export type MessagingSettings = SettingsOf<typeof messagingSettings>;
