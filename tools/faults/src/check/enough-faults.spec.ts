import { describe, expect, it } from 'vitest';
import { faultsOf, LONG, SHORT, type Fault, type Severity } from '../plan/faults.js';
import { tooFewFaults, type Breaking } from './enough-faults.check.js';

const FULL: Readonly<Record<string, number>> = { 'broker-away': LONG.outage, 'at-point': LONG.pause };

const run = (seed: number, severity: Severity, lasting: (fault: Fault) => number): Breaking => ({
  faults: faultsOf(seed, 0, severity).map((fault) => ({ fault, from: 0, until: lasting(fault) })),
  missed: [],
  takeovers: { outbox_lanes: 4, feed_lanes: 16 },
  ownEnds: [],
  seed,
  severity,
});
const whole = (seed: number, severity: Severity) => run(seed, severity, ({ kind }) => FULL[kind] ?? 0);
const said = (over: Partial<Breaking>) => tooFewFaults({ ...whole(1, LONG), ...over }).map(({ what }) => what);

describe('the faults of a run are enough', () => {
  it.each([1, 2, 3, 4, 5, 6])('where all of the plan came to pass: seed %i', (seed) => {
    for (const severity of [SHORT, LONG]) expect(tooFewFaults(whole(seed, severity))).toEqual([]);
  });

  it('not where a kind, a point or an action is missing', () => {
    const without = (is: (fault: Fault) => boolean) => ({
      faults: whole(1, LONG).faults.filter(({ fault }) => !is(fault)),
    });
    expect(said(without(({ kind }) => kind === 'broker-restart'))).toEqual(['no fault broker-restart']);
    const atMark = (fault: Fault) => fault.kind === 'at-point' && fault.point === 'before-mark';
    expect(said(without(atMark))).toContain('nothing happened at the point before-mark');
    const late = (fault: Fault) => fault.kind === 'at-point' && fault.action === 'kill-and-arrive-late';
    expect(said(without(late))).toContain('nobody met kill-and-arrive-late');
  });

  it('not where a fault missed, though others of its kind did not', () => {
    expect(said({ missed: ['delivered twice'] })).toEqual(['delivered twice did not come to pass']);
  });

  it('not where the outage, in its seed, or the pauses were short', () => {
    const short = (fault: Fault) => ('ms' in fault ? Math.min(fault.ms, LONG.away - 1) : 0);
    const whats = (seed: number) => tooFewFaults(run(seed, LONG, short)).map(({ what }) => what);
    const still = 'nobody stood still for 45000 ms';
    expect(whats(1)).toEqual(['the broker was never away for 600000 ms', still]);
    expect(whats(2)).toEqual(['the broker was never away for 45000 ms', still]);
  });

  it('not where no lane was taken over, of outboxes and of feeds', () => {
    expect(said({ takeovers: { outbox_lanes: 4, feed_lanes: 0 } })).toEqual([
      'nobody took over from another in feed_lanes',
    ]);
    expect(said({ takeovers: { outbox_lanes: 0, feed_lanes: 1 } })).toHaveLength(1);
  });

  it('not where processes end by themselves at every turn', () => {
    const { length } = whole(1, LONG).faults;
    const ends = (count: number) => Array.from({ length: count }, () => 'notifications-1 ended by itself');
    expect(said({ ownEnds: ends(3) })).toEqual([]);
    expect(said({ ownEnds: ends(length) })).toHaveLength(1);
  });
});
