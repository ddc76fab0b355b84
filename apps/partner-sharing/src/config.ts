import { readKeyFile } from '@castiron/encryption';
import { noteSigner, type NoteSigner } from '@castiron/ledger';
import {
  clientSettings,
  httpSettings,
  messagingSettings,
  parseSettings,
  text,
  url,
  wholeNumber,
  type SettingsOf,
} from '@castiron/service';

const specification = {
  ...httpSettings('partner-sharing'),
  ...messagingSettings,
  ...clientSettings,
  /** Key custody: customer-profiles hands out the keys that open profiles. */
  customerProfilesUrl: url('CUSTOMER_PROFILES_URL', ['http:', 'https:']),
  /** Makes the topics, users and rules of recipients, and reads or writes nothing. */
  provisionerUsername: text('KAFKA_PROVISIONER_USERNAME'),
  provisionerPassword: text('KAFKA_PROVISIONER_PASSWORD', { secret: true }),
  /**
   * A lane of feeds whose owner is silent for that long is another's, in ms; a send without an answer is given up after two
   * fifths of it. Half of the others' lease: a revocation may have to wait for a lane whose owner is gone.
   */
  feedLeaseMs: wholeNumber('FEED_LEASE_MS', { min: 200, max: 60_000, fallback: 5_000 }),
  /** The ledger's name, for good: its address without the scheme. */
  ledgerOrigin: text('LEDGER_ORIGIN', { pattern: /^[^\s+]{1,255}$/ }),
  /** Holds the private key of Ed25519 that signs the ledger's heads. */
  ledgerKeyFile: text('LEDGER_KEY_FILE'),
};

export type PartnerSharingSettings = SettingsOf<typeof specification> & {
  readonly ledgerSigner: NoteSigner;
};

/** The only place that reads the environment. Throws an error that names every bad setting, and shows no secret. */
export function readSettings(env: Readonly<Record<string, string | undefined>> = process.env): PartnerSharingSettings {
  const settings = parseSettings(env, specification);
  const ledgerSigner = noteSigner(settings.ledgerOrigin, readKeyFile(settings.ledgerKeyFile));
  return Object.freeze({ ...settings, ledgerSigner });
}
