import type { Counted } from '@castiron/outbox';

/** The cells of the memory that a service and the thread of its relay share. */
const CELLS = { news: 0, sent: 1, failed: 2 } as const;

/** What goes between the two without a message. Counts go beyond 2^53 in no lifetime. */
export class RelayMemory {
  constructor(readonly cells = new BigInt64Array(new SharedArrayBuffer(8 * Object.keys(CELLS).length))) {}

  /** @returns whether nobody has said so since it was last {@link taken}: one message is enough for many commits */
  giveNews(): boolean {
    return Atomics.exchange(this.cells, CELLS.news, 1n) === 0n;
  }

  /** To be called before the outbox is read: what is committed from here on is news again. */
  takeNews(): void {
    Atomics.store(this.cells, CELLS.news, 0n);
  }

  add(what: Counted, by: number): void {
    Atomics.add(this.cells, CELLS[what], BigInt(by));
  }

  count(what: Counted): number {
    return Number(Atomics.load(this.cells, CELLS[what]));
  }
}
