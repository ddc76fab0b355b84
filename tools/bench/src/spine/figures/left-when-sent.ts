/** How often it is asked what was handled. */
const LOOK_MS = 2_000;
const STANDSTILL_MS = 120_000;

/** Events that a service sends and another one handles; each tells how many have been by now. */
interface Backlog {
  readonly count: number;
  readonly sent: () => Promise<number>;
  readonly handled: () => Promise<number>;
  readonly parked: () => Promise<number>;
}

/**
 * Waits until all of a backlog is handled.
 * @returns how much of it was left to handle when it was first seen that all was sent
 * @throws Error where any was parked: that is another load than handling it
 */
export async function leftWhenSent({ count, sent, handled, parked }: Backlog): Promise<number> {
  let [before, movedAt] = [0, performance.now()];
  let left: number | undefined;
  while (before < count) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const isSent = left !== undefined || (await sent()) >= count;
    const now = await handled();
    if (isSent) left ??= count - now;
    if (now > before) movedAt = performance.now();
    else if (performance.now() - movedAt > STANDSTILL_MS) throw new Error(`only ${now} of ${count} were handled`);
    before = now;
  }
  const ended = await parked();
  if (ended > 0) throw new Error(`${ended} of ${count} were parked`);
  return left ?? 0;
}
