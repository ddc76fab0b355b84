import {
  clientSettings,
  httpSettings,
  messagingSettings,
  parseSettings,
  text,
  url,
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
};

export type PartnerSharingSettings = SettingsOf<typeof specification>;

/** The only place that reads the environment. Throws an error that names every bad setting, and shows no secret. */
export function readSettings(env: Readonly<Record<string, string | undefined>> = process.env): PartnerSharingSettings {
  return parseSettings(env, specification);
}
