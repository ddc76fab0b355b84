import type { EntityManager } from 'typeorm';
import type { Item } from './item.js';
import { park, parkedKeys, supersede, type Most, type Parking, type Seal } from './parked-messages.js';

interface Where {
  readonly manager: EntityManager;
  readonly consumer: string;
  readonly topic: string;
  readonly seal: Seal;
  readonly mostOfARecipient?: Partial<Most> | undefined;
  /** What is parked is locked against a replay; see {@link parkedKeys}. */
  readonly locks: boolean;
}

/** What one transaction parks of a topic, in order, and which keys are held up by what is parked. */
export class Parkings {
  /** Those that were written and are new. */
  readonly parked: Parking[] = [];
  private added: Parking[] = [];
  /** Keys of which something may be parked, or not: what came is no event (see {@link holdUp}), or not all was superseded. */
  private readonly unsure = new Set<string>();

  private constructor(
    private readonly where: Where,
    private readonly held: Map<string, boolean>,
  ) {}

  /** @param keyHashes the keys that will be asked for */
  static async of(where: Where, keyHashes: ReadonlySet<string>): Promise<Parkings> {
    const { manager, consumer, topic, seal, locks } = where;
    return new Parkings(where, await parkedKeys(manager, consumer, topic, [...keyHashes], seal, locks));
  }

  add(parking: Parking): void {
    this.added.push(parking);
    const { content, keyHash } = parking.item;
    if (content.kind === 'broken') this.unsure.add(keyHash);
  }

  /**
   * Whether later messages of the key wait. The rows say so: a broken message that comes again after somebody ended it,
   * or of which only the number is kept, is not parked, and nobody could ever release what waited behind it.
   */
  async holdUp(keyHash: string): Promise<boolean> {
    if (this.held.get(keyHash) !== true) await this.makeSure(keyHash);
    return this.held.get(keyHash) === true;
  }

  /** A record that says all has come: what was parked of its key before is done with. */
  async supersede(item: Item): Promise<void> {
    await this.makeSure(item.keyHash);
    if (!this.held.delete(item.keyHash)) return;
    await this.write();
    const { manager, consumer, seal } = this.where;
    await supersede(manager, consumer, item, seal);
    this.unsure.add(item.keyHash);
  }

  async write(): Promise<void> {
    const { manager, consumer, seal, mostOfARecipient } = this.where;
    const { added } = this;
    this.added = [];
    this.parked.push(...(await park(manager, consumer, added, seal, mostOfARecipient)));
  }

  private async makeSure(keyHash: string): Promise<void> {
    if (!this.unsure.has(keyHash)) return;
    await this.write();
    const { manager, consumer, topic, seal, locks } = this.where;
    const held = await parkedKeys(manager, consumer, topic, [...this.unsure], seal, locks);
    for (const [key, holdsUp] of held) this.held.set(key, holdsUp);
    this.unsure.clear();
  }
}
