/** A check that takes longer than this counts as failed. */
const CHECK_DEADLINE_MS = 2_000;

type Check = () => Promise<void> | void;

/** What each check found, by its name, in one word, since messages may repeat addresses or values. */
type Outcomes = Readonly<Record<string, 'ok' | 'failed' | 'timeout'>>;

/** Whether the process can do its work now, as named checks. Each throws, or rejects, where its thing is not well. */
export class Health {
  private readonly checks = new Map<string, Check>();
  private readonly background = new Map<string, Check>();

  /** Something without which no request can be answered. */
  addCheck(name: string, check: Check): void {
    this.add(this.checks, name, check);
  }

  /** Something that goes on beside requests: it is told, and does not keep them away. */
  addBackground(name: string, check: Check): void {
    this.add(this.background, name, check);
  }

  /** Runs all checks at once. */
  async ready(): Promise<{ ok: boolean; checks: Outcomes; background: Outcomes }> {
    const [checks, background] = await Promise.all([outcomesOf(this.checks), outcomesOf(this.background)]);
    return { ok: Object.values(checks).every((outcome) => outcome === 'ok'), checks, background };
  }

  private add(to: Map<string, Check>, name: string, check: Check): void {
    if (this.checks.has(name) || this.background.has(name)) throw new Error(`there is a check named ${name} already`);
    to.set(name, check);
  }
}

async function outcomesOf(checks: ReadonlyMap<string, Check>): Promise<Outcomes> {
  return Object.fromEntries(
    await Promise.all([...checks].map(async ([name, check]) => [name, await outcomeOf(check)] as const)),
  );
}

async function outcomeOf(check: Check): Promise<'ok' | 'failed' | 'timeout'> {
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
