import { runService, type RunningService } from '@castiron/service';
import { tellingOfCancellations } from './cancellations/tell-of-cancellations.js';
import type { NotificationsSettings } from './config.js';
import { databaseMigrations } from './database.js';
import { MailWorker } from './mail/mail-worker.js';
import { writeMailings } from './mailings/write-mailings.js';
import { NotificationsModule } from './notifications.module.js';
import { publications, SLUG } from './publications.js';
import { SubjectVault } from './subjects/subject-vault.js';
import { IGNORED, subscriptions, TOPICS_READ } from './subscriptions.js';

/** Runs the service until it is stopped. */
export function runNotifications(
  settings: NotificationsSettings,
  exit?: (code: number) => void,
): Promise<RunningService> {
  return runService({
    settings,
    migrations: databaseMigrations,
    publications,
    module: (wiring) => NotificationsModule.with(wiring),
    inbox: (app) => ({
      // Groups of a recipient begin with its slug: that is all its principal may use.
      name: `${SLUG}.inbox`,
      topics: TOPICS_READ,
      subscriptions: subscriptions(app.get(SubjectVault), app.get(MailWorker).wake),
      ignored: IGNORED,
    }),
    parts: (app, { dataSource, transactions, room, logger }) => [
      app.get(MailWorker),
      writeMailings(dataSource, app.get(MailWorker).wake, logger),
      tellingOfCancellations(dataSource, transactions, room, logger),
    ],
    ...(exit && { exit }),
  });
}
