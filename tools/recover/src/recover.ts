import { setTimeout } from 'node:timers/promises';
import { ask, Mistake, type Recovery, type Service } from './services.js';

const LOOK_EVERY_MS = 300;

export type Ending = 'fine' | 'to-do' | 'failed';

interface Voice {
  say(line: string): void;
  /** What is being done now. */
  progress(what: string): void;
}

/** Has one service recover, or tell what it would do. */
export async function recover(service: Service, isMeant: boolean, voice: Voice): Promise<Ending> {
  const { name } = service;
  const state = await ask(service);
  if (state === undefined) return 'fine';
  if (!state.fenced) {
    voice.say(`${name} has all that it told others.`);
    return 'fine';
  }
  tellWhy(name, state, voice);
  if (state.because?.reason === 'unread') return 'failed';
  await ask(service, { dryRun: !isMeant });
  const run = await ended(service, voice);
  tellRun(run, voice);
  if (run.state === 'failed') return 'failed';
  if (!isMeant) return 'to-do';
  if ((await ask(service))?.fenced !== false) {
    voice.say(`${name} still stands still: see its log.`);
    return 'failed';
  }
  voice.say(`${name} goes on.`);
  return 'fine';
}

function tellWhy(name: string, { because }: Recovery, voice: Voice): void {
  if (because?.reason === 'unread')
    return voice.say(`${name} stands still: its topics cannot be read, so that nobody knows what it has lost.`);
  voice.say(`${name} stands still: its database was restored from a backup.`);
  for (const { topic, records, from, until } of because?.gaps ?? [])
    voice.say(`  ${topic}: ${records} records that it does not know, from ${from} until ${until}`);
  if (because?.found !== undefined) voice.say(`  ${because.found}`);
}

async function ended(service: Service, voice: Voice): Promise<NonNullable<Recovery['run']>> {
  for (;;) {
    const run = (await ask(service))?.run;
    if (run === undefined) throw new Mistake(`${service.name} has forgotten the recovery: was it started again?`);
    if (run.state !== 'running') return run;
    voice.progress(`${service.name}: ${run.phase}`);
    await setTimeout(LOOK_EVERY_MS);
  }
}

function tellRun({ dryRun, counts, notes, window }: NonNullable<Recovery['run']>, voice: Voice): void {
  voice.say(dryRun ? '  What would be done:' : '  What was done:');
  const rows = Object.entries(counts);
  for (const [what, many] of rows) voice.say(`    ${many} ${what}`);
  if (rows.length === 0) voice.say('    nothing');
  for (const note of notes) voice.say(`  ${note}`);
  if (window !== undefined)
    voice.say(
      `  Not to be recovered: what was answered from ${window.from} on and not published when the database was lost (the relay was ${window.lagMs} ms behind at most).`,
    );
  if (dryRun) voice.say('  Nothing was changed: this was a dry run. Add --yes to do it.');
}
