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
