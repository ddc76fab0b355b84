import { clientCredentials, tokenEndpointOf } from '@castiron/access';
import { KeyCustodyClient } from '@castiron/encryption';
import { connect } from '@castiron/kafka';
import { tellingOfKafka, type Part, type Wiring } from '@castiron/service';
import type { PartnerSharingSettings } from './config.js';
import { FeedTicker } from './feed-ticks/feed-ticker.js';
import { Fence } from './fence/fence.js';
import { KeepProfileWhenProfileChanged } from './profiles/keep-profiles/keep-profile-when-profile-changed.handler.js';
import { KafkaProvisioning, type Provisioning } from './recipients/provisioning.js';
import { FeedReader } from './reconciler/feed-reader.js';
import { ReconcilerMetrics } from './reconciler/reconciler-metrics.js';
import { ReleaseSignals } from './release/release-signals.js';
import { Releaser } from './release/releaser.js';
import { Sweeper } from './sweeps/run-sweeps/sweeper.js';

/**
 * A lease that waits behind requests for a connection runs out, and with it the work of all lanes: under so many requests
 * nothing would be released any more, and each revocation would wait for it.
 */
const LANE_CONNECTIONS = 10;

/** Everything that runs beside the routes, put together by hand. */
export interface PartnerSharing {
  readonly signals: ReleaseSignals;
  readonly fence: Fence;
  readonly lanes: Part;
  readonly sweeper: Sweeper;
  readonly feedTicker: FeedTicker;
  readonly keepProfile: KeepProfileWhenProfileChanged;
  /** Drops a customer's keys from memory at once. */
  readonly forgetKeys: (customer: string) => void;
  readonly provisioning: Provisioning;
  readonly feedReader: FeedReader;
  readonly reconcilerMetrics: ReconcilerMetrics;
}

export function partnerSharing(wiring: Wiring<PartnerSharingSettings>): PartnerSharing {
  const { settings, dataSource, transactions, kafka, logger, metrics, room } = wiring;
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
  const reconcilerMetrics = new ReconcilerMetrics(metrics);
  const groupId = `${settings.name}.reconciler`;
  const apart = wiring.apart(LANE_CONNECTIONS);
  const releaser = new Releaser({ ...apart, kafka, keys, signals, logger }, undefined, settings.feedLeaseMs);
  return {
    signals,
    fence: new Fence(dataSource, signals),
    lanes: {
      name: 'lanes',
      start: async () => {
        await apart.dataSource.initialize();
        await releaser.start();
      },
      stop: async () => {
        await releaser.stop();
        if (apart.dataSource.isInitialized) await apart.dataSource.destroy();
      },
    },
    sweeper: new Sweeper(transactions, signals, logger, () => room.isFull),
    feedTicker: new FeedTicker(dataSource, kafka),
    keepProfile: new KeepProfileWhenProfileChanged(signals, forgetKeys),
    forgetKeys,
    provisioning: new KafkaProvisioning(provisioner),
    feedReader: new FeedReader({ dataSource, kafka, groupId, signals, logger, metrics: reconcilerMetrics }),
    reconcilerMetrics,
  };
}
