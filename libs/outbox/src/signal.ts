/** Lets one waiter rest until something happens, which may have happened already. */
export class Signal {
  private given = false;
  private rouse: () => void = () => undefined;

  give(): void {
    this.given = true;
    this.rouse();
  }

  /** Waits for the signal, `milliseconds` at most, and takes it. */
  async within(milliseconds: number): Promise<void> {
    if (!this.given) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        // By a name of its own: written where it is given to a property, V8 would make it in the old heap.
        const rouse = (): void => {
          clearTimeout(timer);
          resolve();
        };
        this.rouse = rouse;
      });
    }
    this.given = false;
  }
}
