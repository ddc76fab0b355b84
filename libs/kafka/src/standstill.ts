/** Since when each partition stands where it stands. */
export class Standstill {
  private readonly seen = new Map<string, { readonly next: bigint; since: number }>();

  /** @returns for how long, in ms, it has not moved although there is something to read */
  of(name: string, next: bigint, end: bigint, now: number): number {
    const before = this.seen.get(name);
    if (before !== undefined && before.next === next && next < end) return now - before.since;
    this.seen.set(name, { next, since: now });
    return 0;
  }

  /** As if it had moved. */
  touch(name: string, now: number): void {
    const seen = this.seen.get(name);
    if (seen !== undefined) seen.since = now;
  }

  /** Begins anew: while nothing could be read, nothing stood still. */
  forget(): void {
    this.seen.clear();
  }
}
