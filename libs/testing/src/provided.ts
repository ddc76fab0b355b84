import type { Endpoints, StackEndpoints } from '@castiron/local-stack';

declare module 'vitest' {
  /** What the configuration and the global setups hand to the tests: `inject('stack')`, `inject('castiron')`. */
  export interface ProvidedContext {
    stack: StackEndpoints;
    castiron: Endpoints;
    /** Address of what tests may do to the stack: see `serveControl`. */
    control: string;
    /** Which implementation of the Kafka port its specs are for. */
    kafkaClient: string;
  }
}
