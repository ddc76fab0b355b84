import { Module } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { mailingCancelled, notificationsMailings } from '@castiron/contracts';
import { outboxKey, type Transactions } from '@castiron/transactions';
import { httpSettings, messagingSettings, parseSettings, runService } from '../index.js';

// A whole service with the settings that it is given, which does nothing but commit one event for each line it hears.

@Module({})
class NothingModule {}

let transactions: Transactions | undefined;

await runService({
  settings: parseSettings(JSON.parse(process.argv[2] ?? '{}') as Record<string, string>, {
    ...httpSettings('notifications'),
    ...messagingSettings,
  }),
  migrations: [],
  publications: { mailingCancelled },
  module: (wiring) => {
    ({ transactions } = wiring);
    return NothingModule;
  },
});

process.stdin.on('data', () => {
  const subject = randomUUID();
  void transactions?.run([outboxKey(notificationsMailings.name, subject)], (tx) =>
    Promise.resolve(tx.publish(mailingCancelled, { subject, at: new Date().toISOString() })),
  );
});
