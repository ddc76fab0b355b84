/** Something that runs beside HTTP as long as the process does: a relay, an inbox, a timer. */
export interface Part {
  /** For logs. */
  readonly name?: string;
  /** Also runs while a restored database has not caught up: it sends, discloses and consumes nothing. */
  readonly evenFenced?: boolean;
  /** @param onCrash tells that the part died later on and will not come back: the process ends */
  start(onCrash: (error: Error) => void): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs `work` every so often until stopped, one at a time. A failed run is told and the next one comes. A stop waits for the run
 * under way, which is told by its signal: one of many steps ends before the next.
 */
export function every(
  periodMs: number,
  name: string,
  work: (stopping: AbortSignal) => Promise<void>,
  onError: (error: unknown) => void,
): Part {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  return {
    name,
    start: () => {
      let busy = false;
      timer = setInterval(() => {
        if (busy) return;
        busy = true;
        running = work(stopping.signal)
          .catch(onError)
          .finally(() => {
            busy = false;
          });
      }, periodMs);
      timer.unref();
      return Promise.resolve();
    },
    stop: async () => {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}
