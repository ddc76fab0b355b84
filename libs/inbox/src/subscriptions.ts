import * as contracts from '@castiron/contracts';
import { belongsTo, isFamily, type EventContract } from '@castiron/contracts';
import type { Subscription } from './subscription.js';

function isContract(value: unknown): value is EventContract {
  return typeof value === 'object' && value !== null && 'schema' in value && 'producer' in value && 'topic' in value;
}

const ALL: readonly EventContract[] = (Object.values(contracts) as unknown[]).filter(isContract);

/** Which event goes to which handler, checked: what nobody handles must be said. */
export class Subscriptions {
  /** The contracts known here: a message of any other type is parked. */
  readonly contracts: readonly EventContract[];
  private readonly byType = new Map<string, Subscription>();

  constructor(
    subscriptions: readonly Subscription[],
    private readonly ignored: readonly EventContract[],
  ) {
    for (const subscription of subscriptions) {
      const { type } = subscription.contract;
      if (this.byType.has(type)) throw new TypeError(`${type} has two handlers`);
      this.byType.set(type, subscription);
    }
    this.contracts = [...subscriptions.map(({ contract }) => contract), ...ignored];
  }

  /** The handler of an event; undefined where it is passed over on purpose. */
  of(contract: EventContract): Subscription | undefined {
    return this.byType.get(contract.type);
  }

  /** @throws where an event that stands on one of these topics has no handler and is not named as ignored */
  assertComplete(topics: readonly string[]): void {
    for (const topic of topics) {
      const here = [...ALL, ...this.contracts].filter((contract) => belongsTo(contract, topic));
      if (here.length === 0) throw new TypeError(`nothing is known of the events on ${topic}`);
      for (const contract of here) {
        if (this.byType.has(contract.type) || this.ignored.some(({ type }) => type === contract.type)) continue;
        throw new TypeError(`${contract.type} on ${topic} has no handler; name it in "ignored" if that is meant`);
      }
    }
    for (const { contract } of this.byType.values()) {
      if (!isFamily(contract.topic) && !topics.includes(contract.topic.name)) {
        throw new TypeError(`${contract.type} has a handler, but its topic ${contract.topic.name} is not read`);
      }
    }
  }
}
