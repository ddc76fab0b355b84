import { age, table } from './lines.js';
import { ask, Mistake, type Settings } from './services.js';

interface Choice {
  readonly ids: readonly string[];
  readonly topic?: string;
  readonly type?: string;
  readonly reason?: string;
}

/** Which messages, and where to go on: `after` of one service. */
export interface Portion extends Choice {
  readonly after?: string;
}

interface Row {
  readonly id: string;
  readonly topic: string;
  readonly type: string | null;
  readonly reason: string;
  readonly bytes: number;
  readonly parkedAt: string;
  readonly endedReason: string | null;
}

interface Cause {
  readonly topic: string;
  readonly type: string | null;
  readonly reason: string;
  readonly messages: number;
  readonly oldest: string;
}

interface Action {
  readonly id: string;
  readonly at: string;
  readonly message: string | null;
  readonly action: string;
  readonly actor: string;
  readonly reason: string | null;
}

interface Replay {
  readonly messages: readonly {
    readonly id: string;
    readonly topic: string;
    readonly outcome: string;
    readonly because?: string;
  }[];
  readonly more: boolean;
  readonly after: string;
}

interface Discard {
  readonly ids: readonly string[];
}

const PAGE = 500;
const DRY_RUN = 'Nothing was changed: this was a dry run. Add --yes to do it.';

/**
 * Asks each service in turn; those without an inbox say nothing, and one that does not answer keeps none from its turn.
 * @returns whether all answered
 */
async function each<Answer>(
  { services, token }: Settings,
  path: string,
  body: object | undefined,
  tell: (service: string, answer: Answer) => void,
): Promise<boolean> {
  let [answered, failed] = [0, 0];
  for (const service of services) {
    try {
      const answer = await ask<Answer>(service, token, path, body);
      if (answer === undefined) continue;
      answered += 1;
      tell(service.name, answer);
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      failed += 1;
      console.error(error.message);
    }
  }
  if (answered + failed === 0)
    throw new Mistake(`Nothing can be parked: no topics are read by ${services.map(({ name }) => name).join(', ')}.`);
  return failed === 0;
}

/** @param none said instead of an empty table, where all were heard */
function print(rows: readonly (readonly unknown[])[], heading: readonly string[], none: string, all: boolean): void {
  if (rows.length > 0) table([heading, ...rows]).forEach((line) => console.log(line));
  else if (all) console.log(none);
}

function bodyOf({ ids, topic, type, reason }: Choice): object {
  if (ids.length === 0 && topic === undefined && type === undefined && reason === undefined)
    throw new Mistake('Say which messages: their ids, or --topic, --type, --reason.');
  return {
    ...(ids.length > 0 && { ids }),
    ...(topic !== undefined && { topic }),
    ...(type !== undefined && { type }),
    ...(reason !== undefined && { reason }),
  };
}

const goOn = (service: string, after: string): void =>
  console.error(`${service}: there are more; go on with --service ${service} --after ${after}`);

/** An id is one service's own: the same number elsewhere is another message. */
function oneService(settings: Settings): void {
  if (settings.services.length !== 1) throw new Mistake('An id belongs to one service: say which, with --service.');
}

/** @returns whether all that were named are parked */
function areParked(service: string, named: readonly string[], parked: readonly string[]): boolean {
  const others = named.filter((id) => !parked.includes(id));
  if (others.length > 0) console.error(`${service}: not parked: ${others.join(', ')}`);
  return others.length === 0;
}

/** @returns whether all answered, as the others here do that show something */
export async function causes(settings: Settings): Promise<boolean> {
  const rows: unknown[][] = [];
  const all = await each<{ causes: Cause[] }>(settings, '/causes', undefined, (service, answer) => {
    for (const cause of answer.causes) {
      rows.push([service, cause.messages, cause.reason, cause.topic, cause.type, age(cause.oldest, new Date())]);
    }
  });
  print(rows, ['service', 'messages', 'reason', 'topic', 'type', 'oldest'], 'Nothing is parked.', all);
  return all;
}

export async function list(settings: Settings, state: string, portion: Portion): Promise<boolean> {
  const { topic, type, reason, after } = portion;
  if (after !== undefined) oneService(settings);
  const query = new URLSearchParams({
    state,
    limit: String(PAGE),
    ...(topic !== undefined && { topic }),
    ...(type !== undefined && { type }),
    ...(reason !== undefined && { reason }),
    ...(after !== undefined && { after }),
  });
  const rows: unknown[][] = [];
  const all = await each<{ messages: Row[] }>(settings, `?${query.toString()}`, undefined, (service, { messages }) => {
    for (const row of messages) {
      const ended = state === 'parked' ? [] : [row.endedReason];
      rows.push([service, row.id, row.reason, ...ended, row.topic, row.type, row.bytes, age(row.parkedAt, new Date())]);
    }
    const last = messages[PAGE - 1];
    if (last !== undefined) goOn(service, last.id);
  });
  const ended = state === 'parked' ? [] : ['ended'];
  print(rows, ['service', 'id', 'reason', ...ended, 'topic', 'type', 'bytes', 'age'], 'None.', all);
  return all;
}

export async function show(settings: Settings, id: string): Promise<boolean> {
  oneService(settings);
  return each<{ moreActions: boolean }>(settings, `/${encodeURIComponent(id)}`, undefined, (service, message) => {
    console.log(JSON.stringify(message, null, 2));
    if (message.moreActions) console.error(`More was done with it: see actions ${id} --service ${service}`);
  });
}

/** @returns whether every message was handled or discarded, or would be */
export async function replay(settings: Settings, portion: Portion, dryRun: boolean): Promise<boolean> {
  if (portion.ids.length > 0 || portion.after !== undefined) oneService(settings);
  const body = { ...bodyOf(portion), dryRun, ...(portion.after !== undefined && { after: portion.after }) };
  const rows: unknown[][] = [];
  let clean = true;
  const all = await each<Replay>(settings, '/replays', body, (service, { messages, more, after }) => {
    rows.push(...messages.map(({ id, topic, outcome, because }) => [service, id, topic, outcome, because]));
    clean &&= messages.every(({ outcome }) => outcome !== 'still-parked') && (dryRun || !more);
    if (more) return goOn(service, after);
    // What was named may have had its turn before `after`.
    const named = portion.after === undefined ? portion.ids : [];
    const found = messages.map(({ id }) => id);
    clean = areParked(service, named, found) && clean;
  });
  print(rows, ['service', 'id', 'topic', 'outcome', 'because'], 'None.', all);
  if (dryRun) console.log(`${DRY_RUN} It tries 100 messages of a key at most.`);
  return clean && all;
}

export async function discard(settings: Settings, choice: Choice, why: string, dryRun: boolean): Promise<boolean> {
  if (settings.services.length !== 1)
    throw new Mistake(
      'Nothing brings back what is given up, so it is one service at a time: say which, with --service.',
    );
  let clean = true;
  const all = await each<Discard>(settings, '/discards', { ...bodyOf(choice), why, dryRun }, (service, { ids }) => {
    const which = ids.length > 0 ? ` (${ids.join(', ')})` : '';
    console.log(`${service}: ${ids.length} ${dryRun ? 'would be ' : ''}discarded${which}`);
    clean = areParked(service, choice.ids, ids);
  });
  if (dryRun) console.log(DRY_RUN);
  return clean && all;
}

export async function actions(
  settings: Settings,
  message: string | undefined,
  after: string | undefined,
): Promise<boolean> {
  if (message !== undefined || after !== undefined) oneService(settings);
  const query = new URLSearchParams({
    limit: String(PAGE),
    ...(message !== undefined && { message }),
    ...(after !== undefined && { after }),
  });
  const rows: unknown[][] = [];
  const all = await each<{ actions: Action[] }>(
    settings,
    `/actions?${query.toString()}`,
    undefined,
    (service, answer) => {
      for (const { at, message: id, action, actor, reason } of answer.actions)
        rows.push([at, service, id, action, actor, reason]);
      const last = answer.actions[PAGE - 1];
      if (last !== undefined) goOn(service, last.id);
    },
  );
  print(rows, ['at', 'service', 'id', 'action', 'actor', 'why'], 'None.', all);
  return all;
}
