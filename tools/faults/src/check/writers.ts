import type { Observed } from './observed.js';

/** Which operation a value says that it was written by; NaN where it says none. */
export const writerOf = (run: string, value: string | undefined): number =>
  Number(new RegExp(`^${run}-(\\d+)(@faults\\.example)?$`).exec(value ?? '')?.[1] ?? Number.NaN);

/** Tells whether an operation on that very attribute of that very customer wrote a value, or may have. */
export function writersIn({ operations, run }: Pick<Observed, 'operations' | 'run'>) {
  const byId = new Map(operations.map((done) => [done.operation.id, done]));
  return (customer: string | undefined, attribute: string, value: string | undefined): boolean => {
    const writer = byId.get(writerOf(run, value));
    if (writer === undefined || writer.outcome === 'fail') return false;
    const { operation } = writer;
    const fits = operation.kind === 'register' || (operation.kind === 'change' && operation.attribute === attribute);
    return fits && (writer.customer ?? customer) === customer;
  };
}
