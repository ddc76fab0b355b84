import type { History } from '../history.js';
import type { Service } from '../plan/faults.js';
import type { Calls } from './calls.js';

/** What users act on. */
export interface World {
  readonly seed: number;
  readonly calls: Calls;
  readonly history: History;
  /** By the slug of a partner: its agreement. */
  readonly agreements: ReadonlyMap<string, string>;
  /** Makes values, keys and partners of this run its own. */
  readonly run: string;
  readonly urlOf: (service: Service, replica: number) => string;
  /** Where mail is read, as JSON. */
  readonly mail: string;
}
