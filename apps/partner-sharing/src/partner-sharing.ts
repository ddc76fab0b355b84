import { clientCredentials, tokenEndpointOf } from '@castiron/access';
import { KeyCustodyClient } from '@castiron/encryption';
import { connect } from '@castiron/kafka';
import { tellingOfKafka, type Wiring } from '@castiron/service';
import type { PartnerSharingSettings } from './config.js';
import { Fence } from './fence/fence.js';
import { KeepProfileWhenProfileChanged } from './profiles/keep-profiles/keep-profile-when-profile-changed.handler.js';
import { KafkaProvisioning, type Provisioning } from './recipients/provisioning.js';
import { ReleaseSignals } from './release/release-signals.js';
import { Releaser } from './release/releaser.js';
import { Sweeper } from './sweeps/run-sweeps/sweeper.js';

/** Everything that runs beside the routes, put together by hand. */
export interface PartnerSharing {
  readonly signals: ReleaseSignals;
  readonly fence: Fence;
  readonly releaser: Releaser;
  readonly sweeper: Sweeper;
  readonly keepProfile: KeepProfileWhenProfileChanged;
  /** Drops a customer's keys from memory at once. */
  readonly forgetKeys: (customer: string) => void;
  readonly provisioning: Provisioning;
}

export function partnerSharing(wiring: Wiring<PartnerSharingSettings>): PartnerSharing {
  const { settings, dataSource, transactions, kafka, logger, room } = wiring;
  const signals = new ReleaseSignals();
  const keys = new KeyCustodyClient({
    url: settings.customerProfilesUrl,
    token: clientCredentials({
      tokenUrl: tokenEndpointOf(settings.oidcIssuer),
      clientId: settings.oidcClientId,
      clientSecret: settings.oidcClientSecret,
    }),
  });
  const provisioner = connect({
    brokers: [...settings.kafkaBrokers],
    clientId: 'partner-sharing-provisioner',
    username: settings.provisionerUsername,
    password: settings.provisionerPassword,
    ssl: settings.kafkaSsl,
    onLog: tellingOfKafka(logger),
  });
  const forgetKeys = (customer: string): void => keys.forget(customer);
  const laneParts = { dataSource, transactions, kafka, keys, signals, logger };
  return {
    signals,
    fence: new Fence(dataSource, signals),
    // Half of the others' lease: a fence waits for a lane whose owner is gone.
    releaser: new Releaser(laneParts, undefined, settings.leaseMs / 2),
    sweeper: new Sweeper(transactions, signals, logger, () => room.isFull),
    keepProfile: new KeepProfileWhenProfileChanged(signals, forgetKeys),
    forgetKeys,
    provisioning: new KafkaProvisioning(provisioner),
  };
}
