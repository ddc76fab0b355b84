import { inject } from 'vitest';

/** What a spec gives its service of its own. */
interface Own {
  /** Of the stack's broker. */
  readonly principal: string;
  readonly issuer: string;
  readonly databaseUrl: string;
  readonly keyFile: string;
}

/** What a service of a spec finds in its environment. */
export function environmentOf({ principal, issuer, databaseUrl, keyFile }: Own): Record<string, string> {
  const { bootstrap, principals } = inject('stack').kafka;
  const known = principals[principal];
  if (known === undefined) throw new Error(`the stack has no principal ${principal}`);
  return {
    CASTIRON_PORT: '0',
    OIDC_ISSUER: issuer,
    LOG_LEVEL: 'silent',
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: bootstrap,
    KAFKA_USERNAME: known.username,
    KAFKA_PASSWORD: known.password,
    SERVICE_KEY_FILE: keyFile,
  };
}
