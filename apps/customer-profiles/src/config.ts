import { readKeyFile } from '@castiron/encryption';
import { httpSettings, messagingSettings, parseSettings, text, url, type SettingsOf } from '@castiron/service';

const specification = {
  ...httpSettings('customer-profiles'),
  ...messagingSettings,
  /** The key store: a database of its own, outside the backups of the other. */
  keystoreUrl: url('KEYSTORE_URL', ['postgres:', 'postgresql:'], { secret: true }),
  /** Holds the key-encryption key. */
  keyEncryptionKeyFile: text('KEY_ENCRYPTION_KEY_FILE'),
};

export type CustomerProfilesSettings = SettingsOf<typeof specification> & {
  /** Wraps the customers' keys. */
  readonly keyEncryptionKey: Buffer;
};

/** The only place that reads the environment. Throws an error that names every bad setting, and shows no secret. */
export function readSettings(
  env: Readonly<Record<string, string | undefined>> = process.env,
): CustomerProfilesSettings {
  const settings = parseSettings(env, specification);
  return Object.freeze({ ...settings, keyEncryptionKey: readKeyFile(settings.keyEncryptionKeyFile) });
}
