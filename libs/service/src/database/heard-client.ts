import { Client, type ClientConfig } from 'pg';

/**
 * A connection whose end is always heard. Between a pool and who works with it there are moments in which nobody listens,
 * and an error that nobody hears ends the process. Whatever was asked fails of itself, and the pool still hears what
 * happens to an idle one.
 */
export class HeardClient extends Client {
  constructor(config?: ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}
