import { connect } from '@castiron/kafka';
import { eventually, freshDatabase } from '@castiron/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { inboxMigrations, subscribe } from './index.js';
import { event, InboxRig, KeepWhatHappened1795392000902 } from './testing/inbox.rig.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const kafka = connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });
let rig: InboxRig;

beforeAll(async () => {
  rig = new InboxRig(await freshDatabase([...inboxMigrations, KeepWhatHappened1795392000902]), kafka);
});
afterAll(async () => {
  await rig.stopInboxes();
  await rig.close();
});

it('an inbox that is stopped leaves a service the time to stop the rest, though its handler hangs', async () => {
  const { contract, topic } = await rig.newEvent();
  let end = (): void => undefined;
  let isAtWork = false;
  const hanging = subscribe(contract, {
    handle: () => new Promise((resolve) => void ([isAtWork, end] = [true, resolve])),
  });
  await rig.producer.send([event(contract, 'k', 1)]);
  const inbox = rig.inboxOf({ topics: [topic], subscriptions: [hanging] });
  await inbox.start();
  await eventually(() => expect(isAtWork).toBe(true), { within: 20_000 });
  const from = performance.now();
  await inbox.stop();
  // Of the nine seconds that a service has for all of it.
  expect(performance.now() - from).toBeLessThan(5_000);
  end();
});
