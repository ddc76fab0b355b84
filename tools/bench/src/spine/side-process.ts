import { LOAD, type Programs } from './sides/programs.js';

export interface Ask {
  readonly id: number;
  readonly what: string;
  readonly given: unknown;
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string };

/** The life of a side: answers the bench until that lets go of it. */
export async function beSide(name: string): Promise<void> {
  if (process.send === undefined || !Object.hasOwn(LOAD, name)) throw new Error(`there is no side "${name}"`);
  const tell = process.send.bind(process);
  const program = (await LOAD[name as keyof Programs]()) as unknown as Record<string, (given: unknown) => unknown>;
  process.on('message', ({ id, what, given }: Ask) => {
    void (async () => {
      const work = program[what];
      if (work === undefined) throw new Error(`${name} cannot ${what}`);
      return work(given);
    })().then(
      (result) => tell({ id, ok: true, result } satisfies Answer),
      (error: unknown) =>
        tell({ id, ok: false, error: error instanceof Error ? (error.stack ?? error.message) : 'failed' }),
    );
  });
  // Ctrl-C reaches the whole group; the bench ends us in order.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit());
  tell('ready');
}
