/** Where a partition is when it is looked at. */
interface Place {
  readonly next: bigint;
  readonly end: bigint;
  /** What its owner said with its last commit. */
  readonly sign?: string;
}

/** Since when each partition stands where it stands. */
export class Standstill {
  private readonly seen = new Map<string, Place & { since: number }>();

  /** @returns for how long, in ms, it has not moved although there is something to read, nor was anything said of it */
  of(name: string, place: Place, now: number): number {
    const before = this.seen.get(name);
    if (before !== undefined && before.next === place.next && before.sign === place.sign && place.next < place.end)
      return now - before.since;
    this.seen.set(name, { ...place, since: now });
    return 0;
  }

  /** As if it had moved. */
  touch(name: string, now: number): void {
    const seen = this.seen.get(name);
    if (seen !== undefined) seen.since = now;
  }

  /** Of the others nobody could tell where they are, so they did not stand still. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.seen.keys()) if (!names.has(name)) this.seen.delete(name);
  }

  /** Begins anew: while nothing could be read, nothing stood still. */
  forget(): void {
    this.seen.clear();
  }
}
