import { inTurn, type Bench } from '../bench.js';
import { figure, ratio, type Figure } from '../figure.js';

const CLIENTS = 32;

/** What an event costs the transaction that publishes it, with nobody sending meanwhile. */
export async function commits(bench: Bench): Promise<Figure[]> {
  const places = await bench.topic(await bench.database('commits'), 'commits');
  const given = { ...places, clients: CLIENTS, seconds: bench.sizes.commitSeconds };
  const [plain, publishing] = [await bench.side('writer', 'plain writer'), await bench.side('writer')];
  const rounds = await bench.rounds('commits', (round) =>
    inTurn(round, {
      withRow: () => publishing.ask('commit', { ...given, outbox: true }),
      without: () => plain.ask('commit', { ...given, outbox: false }),
    }),
  );
  const withRow = rounds.map((it) => it.withRow);
  const without = rounds.map((it) => it.without);
  return [
    ratio(
      'commits/s with outbox row / without, 32 clients',
      withRow.map((it) => it.perSecond),
      without.map((it) => it.perSecond),
      { direction: 'atLeast', must: 0.6, aim: 0.75 },
    ),
    figure(
      'commits with outbox row',
      'commits/s',
      withRow.map((it) => it.perSecond),
    ),
    figure(
      'commits without',
      'commits/s',
      without.map((it) => it.perSecond),
    ),
    figure(
      'CPU per commit with outbox row',
      'µs',
      withRow.map((it) => it.cpuUsPerCommit),
    ),
    figure(
      'CPU per commit without',
      'µs',
      without.map((it) => it.cpuUsPerCommit),
    ),
  ];
}
