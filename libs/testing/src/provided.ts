import type { Endpoints, StackEndpoints } from '@castiron/local-stack';

declare module 'vitest' {
  /** What the global setups hand to the tests: `inject('stack')`, `inject('castiron')`. */
  export interface ProvidedContext {
    stack: StackEndpoints;
    castiron: Endpoints;
    /** Address of what tests may do to the stack: see `serveControl`. */
    control: string;
  }
}
