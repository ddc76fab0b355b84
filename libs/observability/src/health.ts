/** A check that takes longer than this counts as failed. */
const CHECK_DEADLINE_MS = 2_000;

/** Whether the process can do its work now, as a list of named checks. */
export class Health {
  private readonly checks = new Map<string, () => Promise<void> | void>();

  /** @param check throws, or rejects, where the thing is not well */
  addCheck(name: string, check: () => Promise<void> | void): void {
    if (this.checks.has(name)) throw new Error(`there is a check named ${name} already`);
    this.checks.set(name, check);
  }

  /** Runs all checks at once. What failed is said in one word, since messages may repeat addresses or values. */
  async ready(): Promise<{ ok: boolean; checks: Record<string, string> }> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]): Promise<[string, string]> => [name, await outcomeOf(check)]),
    );
    return { ok: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) };
  }
}

async function outcomeOf(check: () => Promise<void> | void): Promise<'ok' | 'failed' | 'timeout'> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), CHECK_DEADLINE_MS);
  });
  const run = async (): Promise<'ok'> => {
    await check();
    return 'ok';
  };
  try {
    return await Promise.race([run(), deadline]);
  } catch {
    return 'failed';
  } finally {
    clearTimeout(timer);
  }
}
