import { Retryable } from '@castiron/failures';

/** The two keys of one customer; what they sealed or salted dies with them. */
export interface CustomerKeys {
  /** Seals attribute values. */
  readonly dataKey: Buffer;
  /** Salts the commitments in the ledger. */
  readonly ledgerKey: Buffer;
}

export interface KeyCustodySettings {
  /** Base address of customer-profiles. */
  readonly url: string;
  /** A bearer token of a service that may have keys. */
  readonly token: () => Promise<string>;
}

/** As many as `POST /internal/keys` takes in one call. */
export const MAX_KEYS_PER_CALL = 1000;
/** Keys stay in memory no longer than this, in milliseconds. */
const CACHE_MS = 60_000;
const DEADLINE_MS = 5_000;
/** So long nobody asks again where it was away: each would wait for the silence anew, with all that needs no key behind. */
const AWAY_MS = 3_000;

interface KeysAnswer {
  readonly keys: readonly { readonly customer: string; readonly dataKey: string; readonly ledgerKey: string }[];
}

/**
 * Asks customer-profiles for customers' keys, in batches, and holds them for 60 s at most.
 * A customer without keys (unknown, or erased), or with keys that cannot be opened, is missing from the answer.
 */
export class KeyCustodyClient {
  private readonly held = new Map<string, CustomerKeys>();
  /** Customers forgotten while a call was under way must not come back with its answer. */
  private readonly callsUnderWay = new Set<Set<string>>();
  private awayUntil = -Infinity;

  constructor(private readonly settings: KeyCustodySettings) {}

  /** @throws Retryable where key custody is away; Error where it refuses. */
  async keysOf(customers: readonly string[]): Promise<ReadonlyMap<string, CustomerKeys>> {
    const found = new Map<string, CustomerKeys>();
    const missing = new Set<string>();
    for (const customer of customers) {
      const keys = this.held.get(customer);
      if (keys === undefined) missing.add(customer);
      else found.set(customer, keys);
    }
    const asked = [...missing];
    for (let at = 0; at < asked.length; at += MAX_KEYS_PER_CALL) {
      for (const [customer, keys] of await this.fetchAndHold(asked.slice(at, at + MAX_KEYS_PER_CALL))) {
        found.set(customer, keys);
      }
    }
    return found;
  }

  /** Drops a customer's keys at once (erasure). */
  forget(customer: string): void {
    this.held.delete(customer);
    for (const forgotten of this.callsUnderWay) forgotten.add(customer);
  }

  private async fetchAndHold(customers: readonly string[]): Promise<ReadonlyMap<string, CustomerKeys>> {
    const forgotten = new Set<string>();
    this.callsUnderWay.add(forgotten);
    try {
      const answer = await this.askUnlessAway(customers);
      const fresh = new Map<string, CustomerKeys>();
      for (const { customer, dataKey, ledgerKey } of answer.keys) {
        if (forgotten.has(customer)) continue;
        fresh.set(customer, { dataKey: Buffer.from(dataKey, 'base64'), ledgerKey: Buffer.from(ledgerKey, 'base64') });
      }
      this.hold(fresh);
      return fresh;
    } finally {
      this.callsUnderWay.delete(forgotten);
    }
  }

  private hold(fresh: ReadonlyMap<string, CustomerKeys>): void {
    if (fresh.size === 0) return;
    for (const [customer, keys] of fresh) this.held.set(customer, keys);
    // Deleted by a timer, not only ignored when old: nobody may ever ask for them again.
    setTimeout(() => {
      for (const [customer, keys] of fresh) if (this.held.get(customer) === keys) this.held.delete(customer);
    }, CACHE_MS).unref();
  }

  private async askUnlessAway(customers: readonly string[]): Promise<KeysAnswer> {
    if (performance.now() < this.awayUntil) throw new Retryable('key custody was away just now');
    try {
      return await this.ask(customers);
    } catch (error) {
      if (error instanceof Retryable) this.awayUntil = performance.now() + AWAY_MS;
      throw error;
    }
  }

  private async ask(customers: readonly string[]): Promise<KeysAnswer> {
    const token = await this.settings.token();
    let response: Response;
    try {
      response = await fetch(new URL('/internal/keys', this.settings.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ customers }),
        redirect: 'error',
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      if (response.ok) return (await response.json()) as KeysAnswer;
    } catch (error) {
      throw new Retryable('key custody cannot be reached', { cause: error });
    }
    await response.body?.cancel();
    // 401 passes too: the token may just have ended.
    if (response.status >= 500 || [401, 408, 429].includes(response.status)) {
      throw new Retryable(`key custody answered ${response.status}`);
    }
    throw new Error(`key custody refused: ${response.status}`);
  }
}
