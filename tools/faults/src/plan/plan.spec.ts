import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ACTIONS,
  awayIn,
  CUT_FROM,
  faultsOf,
  LONG,
  LONGEST_WAIT_MS,
  pairsNotCovered,
  SERVICES,
  SHORT,
  type Fault,
} from './faults.js';
import { operationsOf, type Operation } from './operations.js';
import { POINTS } from '../proxy/points.js';

function first(seed: number, process: number, count: number): Operation[] {
  const operations = operationsOf(seed, process);
  return Array.from({ length: count }, () => operations.next().value);
}

describe('the plan of a run', () => {
  it('depends on nothing but the seed', () => {
    expect(first(7, 2, 200)).toEqual(first(7, 2, 200));
    expect(faultsOf(7, 1, SHORT)).toEqual(faultsOf(7, 1, SHORT));
  });

  it('is another for another seed, user or round', () => {
    expect(first(8, 2, 50)).not.toEqual(first(7, 2, 50));
    expect(first(7, 3, 50).map(({ kind }) => kind)).not.toEqual(first(7, 2, 50).map(({ kind }) => kind));
    expect(faultsOf(7, 2, SHORT)).not.toEqual(faultsOf(7, 1, SHORT));
  });

  it('is the same on every machine', () => {
    expect(first(1, 0, 14).map(({ kind, slot }) => `${kind} ${slot}`)).toMatchInlineSnapshot(`
      [
        "register 0",
        "register 1",
        "register 2",
        "grant 0",
        "grant 1",
        "grant 2",
        "revoke 2",
        "change 2",
        "grant 1",
        "change 1",
        "change 2",
        "change 2",
        "change 2",
        "grant 1",
      ]
    `);
    expect(faultsOf(1, 0, SHORT).slice(0, 4)).toMatchInlineSnapshot(`
      [
        {
          "action": "delay",
          "after": 212,
          "afterwards": false,
          "kind": "at-point",
          "letPass": 2,
          "ms": 964,
          "point": "before-mark",
          "service": "partner-sharing",
        },
        {
          "after": 348,
          "kind": "database-restart",
        },
        {
          "after": 174,
          "from": "both",
          "kind": "cut-off",
          "ms": 2000,
          "replica": 0,
          "service": "customer-profiles",
        },
        {
          "after": 107,
          "kind": "asked-to-end",
          "replica": 0,
          "service": "notifications",
        },
      ]
    `);
  });

  it('has everything that can happen at a point within six seeds, or six rounds', () => {
    const six = [3, 4, 5, 6, 7, 8];
    expect(pairsNotCovered(six.flatMap((seed) => faultsOf(seed, 0, SHORT)))).toEqual([]);
    expect(pairsNotCovered(six.flatMap((round) => faultsOf(1, round, SHORT)))).toEqual([]);
    expect(pairsNotCovered(six.slice(1).flatMap((seed) => faultsOf(seed, 0, SHORT)))).not.toEqual([]);
  });

  it('cuts every service off from everything within nine seeds, and lanes of feeds from their database in each', () => {
    const cutOffs = (seed: number) => faultsOf(seed, 0, SHORT).filter((fault) => fault.kind === 'cut-off');
    const nine = [3, 4, 5, 6, 7, 8, 9, 10, 11];
    const met = new Set(nine.flatMap(cutOffs).map(({ service, from }) => `${service} ${from}`));
    expect(met).toEqual(new Set(SERVICES.flatMap((service) => CUT_FROM.map((from) => `${service} ${from}`))));
    const isOfFeeds = ({ service, from }: Fault & { kind: 'cut-off' }) =>
      service === 'partner-sharing' && from === 'database';
    for (const seed of nine) expect(cutOffs(seed).some(isOfFeeds)).toBe(true);
  });

  it.each([SHORT, LONG])('outlasts leases of $lease ms wherever it is to', (severity) => {
    const faults = [1, 2, 3, 4, 5, 6].flatMap((seed) => faultsOf(seed, 0, severity));
    const lasting = faults.flatMap((fault) =>
      fault.kind === 'cut-off' ||
      (fault.kind === 'at-point' && ['pause', 'half-open', 'kill-and-arrive-late'].includes(fault.action))
        ? [fault.ms]
        : [],
    );
    expect(Math.min(...lasting)).toBeGreaterThanOrEqual(2 * severity.lease);
  });

  it('numbers every operation of every user differently', () => {
    const ids = [0, 1, 2, 3, 4, 5].flatMap((process) => first(3, process, 100).map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('acts on nobody who is not registered before', () => {
    const registered = new Set<number>();
    for (const { kind, slot } of first(5, 1, 500)) {
      if (kind === 'register') registered.add(slot);
      else expect(registered).toContain(slot);
    }
  });

  it('has each user end the agreement of its own partner once, and ask nothing more of it', () => {
    for (const process of [0, 1, 2, 3, 4, 5]) {
      const operations = first(5, process, 500);
      const ends = operations.filter(({ kind }) => kind === 'terminate');
      expect(ends).toHaveLength(1);
      const at = operations.findIndex(({ kind }) => kind === 'terminate');
      const withIt = (some: readonly Operation[]) =>
        some.filter((operation) => 'recipient' in operation && operation.recipient === 'leaving');
      expect(withIt(operations.slice(0, at)).map(({ kind }) => kind)).toContain('grant');
      expect(withIt(operations.slice(at))).toEqual([]);
      const ofTheFirst = operations.filter(({ slot, kind }) => slot === 0 && kind !== 'terminate');
      expect(ofTheFirst.map(({ kind }) => kind)).toEqual(['register', 'grant']);
    }
  });

  it('asks nobody for mail who has cancelled it', () => {
    const cancelled = new Set<number>();
    let granted = 0;
    for (const operation of first(5, 1, 500)) {
      if (operation.kind === 'cancel') cancelled.add(operation.slot);
      if (!('purpose' in operation) || operation.purpose !== 'mailing') continue;
      granted += 1;
      expect(cancelled).not.toContain(operation.slot);
    }
    expect(granted).toBeGreaterThan(0);
    expect(cancelled.size).toBeGreaterThan(0);
  });

  it.each(Array.from({ length: 30 }, (_, seed) => seed))(
    'has every point, action and kind of fault: seed %i',
    (seed) => {
      const faults = faultsOf(seed, 0, LONG);
      const atPoints = faults.flatMap((fault) => (fault.kind === 'at-point' ? [fault] : []));
      expect(new Set(atPoints.map(({ point }) => point))).toEqual(new Set(POINTS));
      expect(new Set(atPoints.map(({ action }) => action))).toEqual(new Set(ACTIONS));
      expect(new Set(faults.map(({ kind }) => kind)).size).toBe(9);
      const away = faults.flatMap((fault) => (fault.kind === 'broker-away' ? [fault.ms] : []));
      expect(away).toEqual([seed % 20 === 1 ? LONG.outage : LONG.away]);
      expect(awayIn(seed, LONG)).toBe(away[0]);
    },
  );
});

it('a connection is half open for longer than a service waits for its database', () => {
  const patience = join(import.meta.dirname, '../../../../libs/service/src/database/patience.ts');
  const source = readFileSync(patience, 'utf8').replaceAll('_', '');
  const statement = Number(/STATEMENTTIMEOUTMS = (\d+);/.exec(source)?.[1]);
  const more = Number(/OFTHERESTMS = STATEMENTTIMEOUTMS \+ (\d+);/.exec(source)?.[1]);
  expect(LONGEST_WAIT_MS).toBe(statement + more);
  expect(LONG.silence).toBeGreaterThan(LONGEST_WAIT_MS);
});
