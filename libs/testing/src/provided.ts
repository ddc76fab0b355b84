import type { StackEndpoints } from '@castiron/local-stack';

declare module 'vitest' {
  /** What the global setups hand to the tests: `inject('stack')`. */
  export interface ProvidedContext {
    stack: StackEndpoints;
  }
}
