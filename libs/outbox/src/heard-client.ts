import { Client, type ClientConfig } from 'pg';

/**
 * A connection whose end is always heard, and the failure of whatever is asked on it. Between a pool and who works with it
 * there are moments in which nobody listens, and an error that nobody hears ends the process. Whatever was asked fails of
 * itself, and the pool still hears what happens to an idle one.
 */
export class HeardClient extends Client {
  constructor(config?: ClientConfig) {
    super(config);
    this.on('error', () => undefined);
    // An address may bring it. With it, pg tells nobody that what is read row by row has failed, and who waits for the end
    // of that waits for ever.
    (this as unknown as { connectionParameters: { query_timeout: number } }).connectionParameters.query_timeout = 0;
  }
}
