import { AsyncLocalStorage } from 'node:async_hooks';
import type { EntityManager } from 'typeorm';
import type { Answer, AnswerStore, Hold } from './answer-store.js';

/** The request with an `Idempotency-Key` that is being carried out here. */
export interface CurrentRequest {
  readonly store: AnswerStore;
  readonly hold: Hold;
  /** Set once the answer stands in the database with its effect. */
  answered: boolean;
  /** Set once the handler is through: what it left running in the background is no part of the request. */
  over: boolean;
}

const requests = new AsyncLocalStorage<CurrentRequest>();

/** The request that the code runs for; undefined where it carries no key, or runs for none. */
export function currentRequest(): CurrentRequest | undefined {
  const request = requests.getStore();
  return request === undefined || request.over ? undefined : request;
}

/** Carries out a request's handler. */
export async function runForRequest<T>(request: CurrentRequest, handler: () => Promise<T>): Promise<T> {
  try {
    return await requests.run(request, handler);
  } finally {
    request.over = true;
  }
}

/**
 * Stores the answer in the transaction of the effect, so that a repetition gets it even where the process dies before it
 * answers. Call it in the use case's transaction; the handler must then answer just this. Without an `Idempotency-Key`
 * it does nothing.
 */
export async function answerWithEffect(manager: EntityManager, answer: Answer): Promise<void> {
  const request = currentRequest();
  if (request === undefined) return;
  await request.store.remember(manager, request.hold, answer);
  request.answered = true;
}
