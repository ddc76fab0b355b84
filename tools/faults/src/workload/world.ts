import type { History } from '../history.js';
import type { LateFences, Reach } from './fence.js';

/** What users act on. */
export interface World extends Reach {
  readonly seed: number;
  readonly history: History;
  readonly fences: LateFences;
  /** By the slug of a partner: its agreement. */
  readonly agreements: ReadonlyMap<string, string>;
  /** Makes values, keys and partners of this run its own. */
  readonly run: string;
  /** Where mail is read, as JSON. */
  readonly mail: string;
  /** The command by which an agreement was ended, which an answer that was lost does not tell. */
  readonly terminationOf: (agreement: string) => Promise<string | undefined>;
}
