/**
 * Leaves the work of a transaction that needs more keys than it holds. Callers of `run` never see it; whoever does several
 * things in one transaction may pass over it, to ask the others for their keys as well: it starts again all the same.
 */
export class MoreKeysNeeded extends Error {
  override readonly name = 'MoreKeysNeeded';
  constructor(readonly keys: readonly string[]) {
    super('the transaction starts again with more keys');
  }
}
