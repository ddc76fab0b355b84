import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeWhole } from './kept-json.js';
import { ROOT } from './places.js';
import type { StackEndpoints } from './stack.js';

/** Everything that runs as a process of its own, in the order in which it is shown. */
export const SERVICES = ['customer-profiles', 'partner-sharing', 'notifications', 'recommendations'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Where a service's compiled program lies, below the repository's folder. */
export const PROGRAMS: Readonly<Record<ServiceName, string>> = {
  'customer-profiles': 'apps/customer-profiles/dist/main.js',
  'partner-sharing': 'apps/partner-sharing/dist/main.js',
  notifications: 'apps/notifications/dist/main.js',
  recommendations: 'examples/recommendations/dist/main.js',
};

/**
 * How every service is run. Stack traces name our sources. The old heap ends where a leak would be felt; the young one is kept
 * small, for V8's own choice of three times 64 MiB is mostly garbage that it has not looked at yet. V8's helpers are as many as
 * there are cores for: the four that it has otherwise take all of a small machine while they collect. It keeps what is new
 * apart from what is old, also where what came before at the same place has lived for long (ADR 0035).
 */
export const NODE_ARGUMENTS = [
  `--import=${pathToFileURL(join(ROOT, 'libs/service/dist/source-maps.js')).href}`,
  '--max-old-space-size=384',
  '--max-semi-space-size=16',
  '--v8-pool-size=0',
  '--no-allocation-site-pretenuring',
] as const;

/** A file with 32 random bytes in base64, made when it is missing. */
async function keyFile(path: string): Promise<string> {
  await access(path).catch(() => writeWhole(path, `${randomBytes(32).toString('base64')}\n`));
  return path;
}

/** The settings of one service: its own credentials, and nobody else's. */
export async function environmentOf(
  service: ServiceName,
  stack: StackEndpoints,
  ports: Readonly<Record<ServiceName, number>>,
): Promise<Record<string, string>> {
  const principal = stack.kafka.principals[service];
  const client = stack.identity.clients[service];
  if (principal === undefined || client === undefined) throw new Error(`${service} has no principal or no client`);
  const databaseUrl = (stack.postgres as Readonly<Record<string, string>>)[service];
  const own: Partial<Record<ServiceName, () => Promise<Record<string, string>>>> = {
    'customer-profiles': async () => ({
      KEYSTORE_URL: stack.postgres['customer-keys'],
      KEY_ENCRYPTION_KEY_FILE: await keyFile(join(stack.dataDir, 'key-encryption.key')),
    }),
    'partner-sharing': async () => ({
      CUSTOMER_PROFILES_URL: `http://127.0.0.1:${ports['customer-profiles']}`,
      KAFKA_PROVISIONER_USERNAME: stack.kafka.principals['provisioner']?.username ?? '',
      KAFKA_PROVISIONER_PASSWORD: stack.kafka.principals['provisioner']?.password ?? '',
      LEDGER_ORIGIN: 'castiron.localhost/ledger',
      LEDGER_KEY_FILE: await keyFile(join(stack.dataDir, 'ledger-signing.key')),
    }),
    notifications: async () => ({
      SMTP_URL: stack.mail.smtp,
      PUBLIC_URL: `http://127.0.0.1:${ports.notifications}`,
    }),
  };
  return {
    PATH: process.env['PATH'] ?? '',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'info',
    CASTIRON_HOST: '127.0.0.1',
    CASTIRON_PORT: String(ports[service]),
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    KAFKA_BROKERS: stack.kafka.bootstrap,
    KAFKA_USERNAME: principal.username,
    KAFKA_PASSWORD: principal.password,
    KAFKA_SSL: 'false',
    OIDC_ISSUER: stack.identity.issuer,
    OIDC_CLIENT_ID: client.id,
    OIDC_CLIENT_SECRET: client.secret,
    SERVICE_KEY_FILE: await keyFile(join(stack.dataDir, `${service}.key`)),
    ...(await own[service]?.()),
  };
}
