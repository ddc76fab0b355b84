import type { Inbox } from '@castiron/inbox';
import { every, runService, type RunningService, type Wiring } from '@castiron/service';
import { TermKeeper } from './agreements/keep-terms/term-keeper.js';
import type { PartnerSharingSettings } from './config.js';
import { measureLedger } from './checkpoints/measure-ledger.js';
import { signCheckpointOrReport } from './checkpoints/sign-checkpoint.js';
import { migrations } from './database/migrations.js';
import { reportFences } from './fence/report-fences.js';
import { publishedEntries } from './ledger-announcements/announced.table.js';
import { announceDisclosures } from './ledger-announcements/disclosure-announcer.js';
import { expireObligations } from './obligations/expire-obligations/expire-obligations.js';
import { publishAnew } from './resyncs/publish-anew/publish-anew.js';
import { partnerSharing, type PartnerSharing } from './partner-sharing.js';
import { PartnerSharingModule } from './partner-sharing.module.js';
import { publications } from './publications.js';
import { allRecipients } from './recipients/recipient.table.js';
import { reconciler } from './reconciler/reconciler.js';
import { recoverSharing } from './recovery/recover-sharing.js';
import { repliesOf, subscriptions, TOPICS_READ } from './subscriptions.js';

const TERMS_MS = 5_000;
const OBLIGATIONS_MS = 60_000;
/** The net under the signal: what a process left that ended between the two. */
const ANNOUNCE_MS = 10_000;
/** Another process may have settled what a fence waits for. */
const FENCES_MS = 1_000;
/** From one signed head of the ledger to the next, at least. */
const CHECKPOINT_MS = 2_000;

/** From one chunk of a resync to the next. */
const RESYNCS_MS = 5_000;
/** Between two looks for ticks that are due. */
const FEED_TICKS_MS = 5_000;

type ThisWiring = Wiring<PartnerSharingSettings>;

/** Runs the service until it is stopped. */
export function runPartnerSharing(
  settings: PartnerSharingSettings,
  exit?: (code: number) => void,
): Promise<RunningService> {
  let sharing: PartnerSharing | undefined;
  let inbox: (() => Inbox | undefined) | undefined;
  const built = (): PartnerSharing => {
    if (sharing === undefined) throw new Error('the module is built before what runs beside it');
    return sharing;
  };
  return runService({
    settings,
    migrations,
    publications,
    module: (wiring: ThisWiring) => {
      sharing = partnerSharing(wiring);
      const watch = (slug: string) => inbox?.()?.watch([repliesOf(slug)]);
      // Not waited for: the consumer starts anew with one more topic, and reads that topic from its beginning.
      const { feedReader } = sharing;
      return PartnerSharingModule.with(wiring, sharing, settings.ledgerSigner, (slug) => {
        void feedReader.look();
        watch(slug)?.catch((error: unknown) =>
          wiring.logger.warn({ err: error }, 'the replies of a new recipient are read later'),
        );
        return Promise.resolve();
      });
    },
    recovery: ({ dataSource, transactions, kafka }) =>
      recoverSharing({ dataSource, transactions, kafka, signer: settings.ledgerSigner, sharing: built }),
    inbox: async (_app, { dataSource }) => ({
      topics: [...TOPICS_READ, ...(await recipientsReplying(dataSource.manager))],
      subscriptions: subscriptions(built().keepProfile, built().signals, built().forgetKeys),
    }),
    parts: (app, { dataSource, transactions, kafka, health, metrics, logger, room }, inboxOf) => {
      inbox = inboxOf;
      const { lanes, sweeper, feedTicker, signals, feedReader, reconcilerMetrics } = built();
      const complain = (what: string) => (error: unknown) => logger.error({ err: error }, what);
      health.addBackground('feeds', () => {
        if (!feedReader.healthy()) throw new Error('not fetching');
      });
      metrics.watch('castiron_feeds_reading', '1 while all feeds are read, 0 while Kafka is away', () =>
        feedReader.healthy() ? 1 : 0,
      );
      return [
        lanes,
        sweeper,
        every(
          TERMS_MS,
          'terms',
          () => app.get(TermKeeper).keep(),
          complain('terms of agreements were not looked after'),
        ),
        every(
          OBLIGATIONS_MS,
          'obligations',
          async () => void (await expireObligations(transactions, signals)),
          complain('obligations were not looked after'),
        ),
        signals.whenever('settled', ANNOUNCE_MS, {
          name: 'disclosures',
          // The ledger keeps what is announced later.
          work: async () => !room.isFull && (await announceDisclosures(transactions)),
          onError: complain('disclosures were not announced'),
        }),
        every(
          CHECKPOINT_MS,
          'checkpoints',
          async (stopping) => {
            // As with disclosures: the ledger keeps what is signed later.
            const sign = () =>
              signCheckpointOrReport(dataSource, transactions, settings.ledgerSigner, publishedEntries);
            while (!stopping.aborted && !room.isFull && (await sign()));
          },
          complain('the head of the ledger was not signed'),
        ),
        // Apart from the signing, which may fail.
        every(
          CHECKPOINT_MS,
          'ledger-figures',
          () => measureLedger(dataSource, metrics),
          complain('the ledger was not measured'),
        ),
        signals.whenever('settled', FENCES_MS, {
          name: 'fences',
          work: () => reportFences(transactions),
          onError: complain('fences of other services were not reported'),
        }),
        every(
          RESYNCS_MS,
          'resyncs',
          // Nothing that adds is begun while the outbox is full.
          async () => void (room.isFull || (await publishAnew(transactions, signals))),
          complain('resyncs could not go on'),
        ),
        every(FEED_TICKS_MS, 'feed ticks', (stopping) => feedTicker.round(stopping), complain('feeds were not ticked')),
        ...reconciler({ dataSource, kafka, reader: feedReader, metrics: reconcilerMetrics, logger }),
        // Other processes register recipients too.
        every(
          TERMS_MS,
          'replies',
          async () => inboxOf()?.watch(await recipientsReplying(dataSource.manager)),
          complain('new replies are not read'),
        ),
      ];
    },
    ...(exit && { exit }),
  });
}

async function recipientsReplying(manager: ThisWiring['dataSource']['manager']): Promise<string[]> {
  const recipients = await allRecipients(manager);
  return recipients.filter(({ provisioned }) => provisioned).map(({ slug }) => repliesOf(slug));
}
