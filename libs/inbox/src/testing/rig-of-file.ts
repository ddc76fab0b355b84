import { connect, type Kafka } from '@castiron/kafka';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, expect, inject } from 'vitest';
import { inboxMigrations } from '../index.js';
import { InboxRig, KeepWhatHappened1795392000902 } from './inbox.rig.js';

const { bootstrap, principals } = inject('stack').kafka;
const { username = '', password = '' } = principals['admin'] ?? {};

/** As the broker's super user. */
export const settings = { brokers: [bootstrap], clientId: 'spec', username, password };
export const kafka: Kafka = connect(settings);

/** Of the database of a rig. */
export const migrations = [...inboxMigrations, KeepWhatHappened1795392000902];

/** For all specs of a file: after each no inbox runs, and none has crashed. */
export function rigOfFile(dataSource: DataSource): InboxRig {
  const rig = new InboxRig(dataSource, kafka);
  afterEach(async () => {
    await rig.stopInboxes();
    expect(rig.crashes).toEqual([]);
  });
  afterAll(() => rig.close());
  return rig;
}
