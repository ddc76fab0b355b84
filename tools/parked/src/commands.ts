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

const PAGE = 500;

/** Asks each service in turn; those without an inbox say nothing. */
async function each<Answer>(
  { services, token }: Settings,
  path: string,
  body: object | undefined,
  tell: (service: string, answer: Answer) => void,
): Promise<void> {
  for (const service of services) {
    const answer = await ask<Answer>(service, token, path, body);
    if (answer !== undefined) tell(service.name, answer);
    else if (services.length === 1) throw new Mistake(`${service.name} reads no topics, so it parks nothing.`);
  }
}

const print = (lines: readonly string[]): void => lines.forEach((line) => console.log(line));

function bodyOf({ ids, topic, type, reason }: Choice): object {
  if (ids.length === 0 && topic === undefined && type === undefined && reason === undefined)
    throw new Mistake('Say which messages: their ids, or --topic, --type, --reason.');
  return { ...(ids.length > 0 && { ids }), ...(topic && { topic }), ...(type && { type }), ...(reason && { reason }) };
}

const goOn = (service: string, after: string): void =>
  console.error(`${service}: there are more; go on with --service ${service} --after ${after}`);

/** An id is one service's own: the same number elsewhere is another message. */
function oneService(settings: Settings): void {
  if (settings.services.length !== 1) throw new Mistake('An id belongs to one service: say which, with --service.');
}

export async function causes(settings: Settings): Promise<void> {
  const rows: unknown[][] = [];
  await each<{ causes: Cause[] }>(settings, '/causes', undefined, (service, answer) => {
    for (const cause of answer.causes) {
      rows.push([service, cause.messages, cause.reason, cause.topic, cause.type, age(cause.oldest, new Date())]);
    }
  });
  if (rows.length === 0) return console.log('Nothing is parked.');
  print(table([['service', 'messages', 'reason', 'topic', 'type', 'oldest'], ...rows]));
}

export async function list(settings: Settings, state: string, portion: Portion): Promise<void> {
  const { topic, type, reason, after } = portion;
  if (after !== undefined) oneService(settings);
  const query = new URLSearchParams({
    state,
    limit: String(PAGE),
    ...(topic && { topic }),
    ...(type && { type }),
    ...(reason && { reason }),
    ...(after && { after }),
  });
  const rows: unknown[][] = [];
  await each<{ messages: Row[] }>(settings, `?${query.toString()}`, undefined, (service, { messages }) => {
    for (const row of messages) {
      const ended = state === 'parked' ? [] : [row.endedReason];
      rows.push([service, row.id, row.reason, ...ended, row.topic, row.type, row.bytes, age(row.parkedAt, new Date())]);
    }
    const last = messages[PAGE - 1];
    if (last !== undefined) goOn(service, last.id);
  });
  if (rows.length === 0) return console.log('None.');
  const ended = state === 'parked' ? [] : ['ended'];
  print(table([['service', 'id', 'reason', ...ended, 'topic', 'type', 'bytes', 'age'], ...rows]));
}

export async function show(settings: Settings, id: string): Promise<void> {
  oneService(settings);
  await each<object>(settings, `/${encodeURIComponent(id)}`, undefined, (_, message) =>
    console.log(JSON.stringify(message, null, 2)),
  );
}

/** @returns whether every message was handled or discarded, or would be */
export async function replay(settings: Settings, portion: Portion, dryRun: boolean): Promise<boolean> {
  if (portion.ids.length > 0 || portion.after !== undefined) oneService(settings);
  const body = { ...bodyOf(portion), dryRun, ...(portion.after && { after: portion.after }) };
  let clean = true;
  await each<Replay>(settings, '/replays', body, (service, { messages, more, after }) => {
    clean &&= messages.every(({ outcome }) => outcome !== 'still-parked');
    print(table(messages.map(({ id, topic, outcome, because }) => [service, id, topic, outcome, because])));
    if (more) goOn(service, after);
  });
  if (dryRun) console.log('Nothing was changed: this was a dry run. Add --yes to do it.');
  return clean;
}

export async function discard(settings: Settings, choice: Choice, why: string): Promise<void> {
  if (choice.ids.length > 0) oneService(settings);
  await each<{ discarded: string[] }>(settings, '/discards', { ...bodyOf(choice), why }, (service, { discarded }) =>
    console.log(`${service}: ${discarded.length} discarded${discarded.length > 0 ? ` (${discarded.join(', ')})` : ''}`),
  );
}

export async function actions(settings: Settings, message: string | undefined): Promise<void> {
  if (message !== undefined) oneService(settings);
  const query = new URLSearchParams({ limit: String(PAGE), ...(message !== undefined && { message }) });
  const rows: unknown[][] = [];
  await each<{ actions: Action[] }>(settings, `/actions?${query.toString()}`, undefined, (service, answer) => {
    for (const { at, message: id, action, actor, reason } of answer.actions)
      rows.push([at, service, id, action, actor, reason]);
  });
  if (rows.length === 0) return console.log('None.');
  print(table([['at', 'service', 'id', 'action', 'actor', 'why'], ...rows]));
}
