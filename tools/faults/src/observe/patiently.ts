const PAUSE_MS = 300;

/** Asks again until it is answered: a broker that has just started does not know yet what it leads. */
export async function patiently<T>(work: () => Promise<T>, within = 30_000): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
