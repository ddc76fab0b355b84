/** The ledger is not what was signed, or what its head says: somebody changed it. Nothing more is signed. */
export class LedgerForked extends Error {
  override readonly name = 'LedgerForked';
}
