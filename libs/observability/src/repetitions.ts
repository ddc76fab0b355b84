/** So many complaints with the same words are written in a period; how many more there were is told with the next. */
const MOST = 5;
const PERIOD_MS = 10_000;
/** Different words that are remembered: they are constants of the code, so this is never reached but by a mistake. */
const MOST_KNOWN = 1_000;

interface Said {
  since: number;
  times: number;
}

/** Keeps an outage from flooding the log: what fails all the time says so all the time, in the same words. */
export class Repetitions {
  private readonly known = new Map<string, Said>();

  /** @returns how many were left out since the last one that was written; undefined where this one is to be left out too */
  next(words: string, now: number): number | undefined {
    const said = this.known.get(words);
    if (said === undefined || now - said.since >= PERIOD_MS) {
      if (this.known.size >= MOST_KNOWN) this.known.clear();
      this.known.set(words, { since: now, times: 1 });
      return Math.max(0, (said?.times ?? 0) - MOST);
    }
    said.times += 1;
    return said.times <= MOST ? 0 : undefined;
  }
}
