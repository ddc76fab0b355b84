const PAUSE_MS = 40;

/**
 * Waits for an effect: tries the check until it neither throws nor returns false, and returns what it returns. When
 * the time is up it fails with the check's own words.
 * @param options `within` in milliseconds, 10,000 unless told
 */
export async function eventually<T>(check: () => Promise<T> | T, options: { within?: number } = {}): Promise<T> {
  const within = options.within ?? 10_000;
  const deadline = Date.now() + within;
  for (;;) {
    let why: unknown;
    try {
      const result = await check();
      if (result !== false) return result;
      why = new Error(`still not so after ${within} ms`);
    } catch (error) {
      why = error;
    }
    if (Date.now() >= deadline) throw why;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
