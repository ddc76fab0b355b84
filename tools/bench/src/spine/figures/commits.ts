import { inTurn, type Bench } from '../bench.js';
import { figure, ratio, type Figure } from '../figure.js';

const CLIENTS = 32;
/** Of a round, for the side that nothing is demanded of. */
const SHORT = 0.5;

interface Committed {
  readonly perSecond: number;
  readonly cpuUsPerCommit: number;
}

const perSecond = (of: readonly Committed[]) => of.map((it) => it.perSecond);
const cpuPerCommit = (of: readonly Committed[]) => of.map((it) => it.cpuUsPerCommit);

/**
 * What an event costs the transaction that publishes it, with nobody sending meanwhile. What must be reached is the ratio to
 * what one would write instead, `dataSource.transaction`. `Transactions` begins and commits in a way of its own, which may
 * make up for part of what the event costs: the ratio to `Transactions` without one has the event alone in it.
 */
export async function commits(bench: Bench): Promise<Figure[]> {
  const places = await bench.topic(await bench.database('commits'), 'commits');
  const given = { ...places, clients: CLIENTS, seconds: bench.sizes.commitSeconds };
  const plain = await bench.side('writer', 'plain writer');
  const publishing = await bench.side('writer');
  const eventless = await bench.side('writer', 'writer without events');
  const rounds = await bench.rounds('commits', (round) =>
    // Both that it is compared with stand next to it.
    inTurn(round, {
      without: () => plain.ask('commit', { ...given, how: 'by the data source' }),
      withRow: () => publishing.ask('commit', { ...given, how: 'with an event' }),
      same: () => eventless.ask('commit', { ...given, seconds: given.seconds * SHORT, how: 'by transactions' }),
    }),
  );
  const withRow = rounds.map((it) => it.withRow);
  const without = rounds.map((it) => it.without);
  const same = rounds.map((it) => it.same);
  return [
    ratio('commits/s with outbox row / without, 32 clients', perSecond(withRow), perSecond(without), {
      direction: 'atLeast',
      must: 0.6,
      aim: 0.75,
    }),
    ratio('commits/s with outbox row / Transactions without, 32 clients', perSecond(withRow), perSecond(same)),
    figure('commits with outbox row', 'commits/s', perSecond(withRow)),
    figure('commits without', 'commits/s', perSecond(without)),
    figure('commits of Transactions without', 'commits/s', perSecond(same)),
    figure('CPU per commit with outbox row', 'µs', cpuPerCommit(withRow)),
    figure('CPU per commit without', 'µs', cpuPerCommit(without)),
    figure('CPU per commit of Transactions without', 'µs', cpuPerCommit(same)),
  ];
}
