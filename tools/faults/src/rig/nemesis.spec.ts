import { afterEach, expect, it, vi } from 'vitest';
import { SHORT, type Fault } from '../plan/faults.js';
import type { Cluster } from './cluster.js';
import type { Lease } from './lanes.js';
import { Nemesis } from './nemesis.js';
import type { Ending } from './replica.js';

const options = { copyable: [], since: () => true, severity: SHORT, seed: 1 };
// Sound: nothing else of the cluster is used for these faults.
const nemesisOf = (cluster: object) => new Nemesis(cluster as Cluster, () => undefined, options);

const asked: Fault = { kind: 'asked-to-end', service: 'notifications', replica: 0, after: 0 };

async function nemesisWhere(ending: Ending | undefined): Promise<Nemesis> {
  const replica = { name: 'notifications-1', askToEnd: async () => ending, ready: async () => true };
  const nemesis = nemesisOf({ named: () => replica });
  await nemesis.run([asked], () => true);
  return nemesis;
}

it('a replica that nobody found there was not asked to end', async () => {
  expect(await nemesisWhere(undefined)).toMatchObject({ happened: [], missed: [asked] });
  expect(await nemesisWhere({})).toMatchObject({
    happened: [{ replica: 'notifications-1' }],
    missed: [],
    misdeeds: [],
  });
  const { misdeeds } = await nemesisWhere({ wrong: 'took 11000 ms' });
  expect(misdeeds).toEqual(['notifications-1 was asked to end, and took 11000 ms']);
});

const late: Fault = {
  kind: 'at-point',
  point: 'before-send',
  action: 'kill-and-arrive-late',
  service: 'notifications',
  letPass: 0,
  ms: 0,
  afterwards: false,
  after: 0,
};
const cutOff: Fault = {
  kind: 'cut-off',
  service: 'notifications',
  replica: 0,
  from: 'database',
  ms: 0,
  after: 0,
};

/** Where leases stand so, from look to look. */
async function nemesisAt(fault: Fault, leaseAt: (look: number) => Lease): Promise<Nemesis> {
  vi.useFakeTimers();
  const replica = {
    name: 'notifications-1',
    kill: () => true,
    cutOff: () => () => undefined,
    ready: async () => true,
  };
  const link = { cut: () => undefined, outlive: () => undefined, arrive: () => undefined };
  let looks = 0;
  const nemesis = nemesisOf({
    named: () => replica,
    replicasOf: () => [replica],
    traps: { catch: async () => ({ replica: replica.name, pipe: { link } }) },
    databases: { query: async () => [leaseAt((looks += 1))] },
  });
  const running = nemesis.run([fault], () => true);
  await vi.runAllTimersAsync();
  await running;
  return nemesis;
}
afterEach(() => vi.useRealTimers());

const lease = (token: string, until: string): Lease => ({ lane: 0, token, until });

const killed: Fault = { ...late, action: 'kill' };

it.each([
  ['killed', killed],
  ['killed, and arrives late', late],
  ['cut off', cutOff],
])('lanes of one that is gone are to be taken over in time: %s', async (_how, fault) => {
  const silent = lease('4', '12:00');
  expect(await nemesisAt(fault, (look) => (look < 3 ? silent : lease('5', '12:01')))).toMatchObject({
    missed: [],
    misdeeds: [],
  });
  const { happened, missed, misdeeds } = await nemesisAt(fault, () => silent);
  expect(happened).toHaveLength(1);
  expect(missed).toEqual([]);
  expect(misdeeds).toEqual(['nobody took over from notifications-1 in outbox_lanes within 7000 ms']);
});

it('one that had no lanes met nothing', async () => {
  const nemesis = await nemesisAt(cutOff, (look) => lease('4', `12:${look}`));
  expect(nemesis).toMatchObject({ happened: [], misdeeds: [] });
  expect(nemesis.missed).toHaveLength(1);
  // It was cut off all the same, each time.
  expect(nemesis.met).toHaveLength(5);
});
