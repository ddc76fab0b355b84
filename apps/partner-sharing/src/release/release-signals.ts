import type { Part } from '@castiron/service';

/** `pending`: shares wait for their lanes; `settled`: a send is over; `sweep`: shares are to be made pending in chunks. */
type Signal = 'pending' | 'settled' | 'sweep' | 'claim';

/** Wakes within this process; polls stand behind it for what other processes do. */
export class ReleaseSignals {
  private readonly listeners: Readonly<Record<Signal, Set<() => void>>> = {
    pending: new Set(),
    settled: new Set(),
    sweep: new Set(),
    claim: new Set(),
  };

  on(kind: Signal, listener: () => void): () => void {
    this.listeners[kind].add(listener);
    return () => void this.listeners[kind].delete(listener);
  }

  tell(kind: Signal): void {
    for (const listener of this.listeners[kind]) listener();
  }

  /**
   * Works at each signal of this kind, and at least this often, until `work` says that nothing more is waiting. A run that
   * failed is told, and the next one comes; a stop waits for one call of `work` at most.
   */
  whenever(
    kind: Signal,
    atMostMs: number,
    { name, work, onError }: { name: string; work: () => Promise<boolean>; onError: (error: unknown) => void },
  ): Part {
    let stopping = false;
    let loop: Promise<void> = Promise.resolve();
    const workOff = async (): Promise<void> => {
      while (!stopping && (await work()));
    };
    const run = async (): Promise<void> => {
      while (!stopping) {
        const woken = this.next(kind, atMostMs);
        await workOff().catch(onError);
        await woken;
      }
    };
    return {
      name,
      start: () => {
        loop = run();
        return Promise.resolve();
      },
      stop: async () => {
        stopping = true;
        this.tell(kind);
        await loop;
      },
    };
  }

  /** Resolves at the next signal of this kind, or after this long. */
  next(kind: Signal, atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        off();
        resolve();
      };
      const timer = setTimeout(end, atMostMs);
      const off = this.on(kind, end);
    });
  }
}
