import { AsyncLocalStorage } from 'node:async_hooks';
import type { EntityManager } from 'typeorm';
import type { Answer, AnswerStore, Hold } from './answer-store.js';

/** The request with an `Idempotency-Key` that is being carried out here. */
export interface CurrentRequest {
  readonly store: AnswerStore;
  readonly hold: Hold;
  /** Set once the answer stands in the database with its effect. */
  answered: boolean;
}

export const currentRequest = new AsyncLocalStorage<CurrentRequest>();

/**
 * Stores the answer in the transaction of the effect, so that a repetition gets it even where the process dies before it
 * answers. Call it in the use case's transaction; the handler must then answer just this. Without an `Idempotency-Key`
 * it does nothing.
 */
export async function answerWithEffect(manager: EntityManager, answer: Answer): Promise<void> {
  const request = currentRequest.getStore();
  if (request === undefined) return;
  await request.store.remember(manager, request.hold, answer);
  request.answered = true;
}
