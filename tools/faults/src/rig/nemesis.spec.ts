import { expect, it } from 'vitest';
import { SHORT, type Fault } from '../plan/faults.js';
import type { Cluster } from './cluster.js';
import { Nemesis } from './nemesis.js';
import type { Ending } from './replica.js';

const asked: Fault = { kind: 'asked-to-end', service: 'notifications', replica: 0, after: 0 };

async function nemesisWhere(ending: Ending | undefined): Promise<Nemesis> {
  const replica = { name: 'notifications-1', askToEnd: async () => ending, ready: async () => true };
  const options = { copyable: [], since: () => true, midCommit: false, severity: SHORT, seed: 1 };
  // Sound: nothing else of the cluster is used for this fault.
  const nemesis = new Nemesis({ named: () => replica } as unknown as Cluster, () => undefined, options);
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
