import type { DataSource } from 'typeorm';
import { read } from './item.js';
import { messageOf, unpack } from './packing.js';
import { listActions, recordAction, type ActionRecord } from './parked-actions.js';
import { endInSlices } from './parked-messages.js';
import {
  causesOf,
  idsOf,
  listRows,
  parametersOf,
  rowOf,
  SELECTED,
  type Cause,
  type Page,
  type ParkedRow,
  type ParkedState,
  type Selection,
} from './parked-rows.js';
import { contentView, type ContentView } from './parked-view.js';
import { Replayer, type Replay, type ReplayOptions } from './replay.js';
import type { Subscriptions } from './subscriptions.js';

/** One message with what may be shown of it, and what was done with it. */
export interface ParkedMessage extends ParkedRow {
  /** null: ended, or sealed under a key that is no more. */
  readonly content: ContentView | null;
  /** The first hundred. */
  readonly actions: readonly ActionRecord[];
  /** There are more of them: the list of actions has them all. */
  readonly moreActions: boolean;
}

/** What was given up, or in a dry run what would be. */
export interface Discard {
  readonly dryRun: boolean;
  readonly ids: readonly string[];
}

const ACTIONS_SHOWN = 100;

/** What an inbox could not handle, for those who run the service. Every act is recorded with its actor. */
export class Parked {
  private readonly replayer: Replayer;
  private readonly dataSource: DataSource;
  private readonly name: string;

  constructor(
    private readonly options: ReplayOptions,
    private readonly subscriptions: Subscriptions,
  ) {
    ({ dataSource: this.dataSource, name: this.name } = options);
    this.replayer = new Replayer(options, subscriptions);
  }

  causes(): Promise<Cause[]> {
    return causesOf(this.dataSource, this.name);
  }

  list(state: ParkedState, selection: Selection, page: Page): Promise<ParkedRow[]> {
    return listRows(this.dataSource, this.name, state, selection, page);
  }

  actions(message: string | undefined, page: Page): Promise<ActionRecord[]> {
    return listActions(this.dataSource, this.name, message, page);
  }

  /** One message without anything personal in it. That it was looked at is recorded first. */
  async show(id: string, actor: string): Promise<ParkedMessage | undefined> {
    const found = await rowOf(this.dataSource.manager, this.name, id);
    if (found === undefined) return undefined;
    await recordAction(this.dataSource.manager, this.name, { message: id, action: 'shown', actor, reason: null });
    const { sealed, ...row } = found;
    const actions = await this.actions(id, { limit: ACTIONS_SHOWN + 1 });
    return {
      ...row,
      content: sealed === null ? null : this.view(row, sealed),
      actions: actions.slice(0, ACTIONS_SHOWN),
      moreActions: actions.length > ACTIONS_SHOWN,
    };
  }

  /** See {@link Replayer.replay}. */
  replay(selection: Selection, dryRun: boolean, actor: string, after?: string): Promise<Replay> {
    return this.replayer.replay(selection, dryRun, actor, after);
  }

  /**
   * Gives messages up for good. What waits behind one of them goes on waiting, for a replay.
   * @returns the ids of those that were parked until now; of a dry run those that are
   * @throws what may pass; what was given up by then stays so
   */
  async discard(selection: Selection, dryRun: boolean, reason: string, actor: string): Promise<Discard> {
    if (dryRun) return this.tryDiscard(selection, actor);
    const selected = [SELECTED, ...parametersOf(selection)] as const;
    const end = { endedReason: 'given-up', actor, why: reason };
    const ids: string[] = [];
    for await (const ended of endInSlices(this.dataSource, this.name, selected, end)) {
      ids.push(...ended.map(({ id }) => id));
    }
    return { dryRun, ids };
  }

  private async tryDiscard(selection: Selection, actor: string): Promise<Discard> {
    const ids = await idsOf(this.dataSource, this.name, selection);
    const reason = `would be: ${ids.length} given up`;
    await recordAction(this.dataSource.manager, this.name, { message: null, action: 'dry-run', actor, reason });
    return { dryRun: true, ids };
  }

  private view({ topic, position, truncated }: ParkedRow, sealed: Buffer): ContentView | null {
    try {
      const packed = unpack(this.options.seal.open(sealed));
      return contentView(
        packed,
        truncated ? undefined : read(messageOf(topic, packed), { position }, this.subscriptions),
      );
    } catch {
      return null;
    }
  }
}
