import { AsyncLocalStorage } from 'node:async_hooks';

/** How long a request waits for one answer of its database, in ms: with what else it does, it is answered within 5 s. */
const OF_A_REQUEST_MS = 3_000;

/** Everything else may take as long as the database lets a statement run, and a little for the way. */
export const STATEMENT_TIMEOUT_MS = 15_000;
const OF_THE_REST_MS = STATEMENT_TIMEOUT_MS + 2_000;

/** A request on its way; over once it is answered: what it left running in the background is no part of it. */
export interface AwaitedAnswer {
  over: boolean;
}

const requests = new AsyncLocalStorage<AwaitedAnswer>();

/** Runs what a request does. Somebody waits for it, so it gives up a silent database sooner than the rest does. */
export const runAwaited = <T>(answer: AwaitedAnswer, work: () => T): T => requests.run(answer, work);

/** What a request asks for that may take as long as handling messages does: it is waited for as that is. */
export const runPatiently = <T>(work: () => T): T => requests.run({ over: true }, work);

/** How long to wait here for one answer of the database, in ms: to several statements, where they leave together. */
export function patienceMs(): number {
  const request = requests.getStore();
  return request === undefined || request.over ? OF_THE_REST_MS : OF_A_REQUEST_MS;
}
