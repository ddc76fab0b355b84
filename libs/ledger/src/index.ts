export type { EntryKind, Leaf, LeafAttribute, LeafPurpose } from './leaf.js';
export { composeEntry, type ComposedEntry, type DraftAttribute, type EntryDraft } from './entry.js';
export { derivedSalts, randomSalts, type Salts } from './salts.js';
export { openingProblem, type OpenableAttribute, type OpenableRecord } from './opening.js';
export { leafHash } from './leaf-hash.js';
