import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CannotStart } from './cannot-start.js';
import { endpointsOfStack, peopleOf, type Endpoints } from './endpoints.js';
import { HttpClient } from './http-client.js';
import { registerInternalRecipients } from './internal-recipients.js';
import { missingAt } from './missing.js';
import { Part } from './part.js';
import { ROOT } from './places.js';
import { choosePorts } from './ports.js';
import { environmentOf, NODE_ARGUMENTS, PROGRAMS, SERVICES, type ServiceName } from './services.js';
import type { StackEndpoints } from './stack.js';

export interface Castiron {
  readonly endpoints: Endpoints;
  readonly client: HttpClient;
  /** The services' processes, to kill and start again. */
  readonly parts: Readonly<Record<string, Part>>;
  /** Starts a service again on its old port, after it was killed. `settings` are added to its own, for this time. */
  restart(service: ServiceName, settings?: Readonly<Record<string, string>>): Promise<void>;
  /** Resolves with the reason when a service ended that nobody stopped. */
  readonly broken: Promise<string>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const PAUSE_MS = 100;

async function ready(part: Part, url: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let gone: string | undefined;
  void part.ended.then((reason) => (gone = reason));
  let last = '';
  while (Date.now() < deadline) {
    if (gone !== undefined) throw new Error(gone);
    const missing = await missingAt(url);
    if (missing === undefined) return;
    last = missing;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error(`${part.name} was not ready after ${READY_WITHIN_MS / 1000} s: ${last}`);
}

/**
 * Runs the services on a stack, registers the recipients inside the house, and returns where everything is.
 * @param options `services` for some of them only; without partner-sharing nobody is registered
 */
export async function startCastiron(
  stack: StackEndpoints,
  { services = SERVICES }: { readonly services?: readonly ServiceName[] } = {},
): Promise<Castiron> {
  const programs = services.map((service) => join(ROOT, PROGRAMS[service]));
  await Promise.all(programs.map((program) => access(program))).catch(() => {
    throw new CannotStart('The services are not compiled: run "npm run build".');
  });
  const logs = join(stack.dataDir, 'logs');
  await mkdir(logs, { recursive: true });
  const ports = await choosePorts(SERVICES, join(stack.dataDir, 'ports.json'));
  const urlOf = (service: ServiceName) => `http://127.0.0.1:${ports[service]}`;
  const parts: Record<string, Part> = {};
  const expected = new Set<Part>();
  let tellBroken: (reason: string) => void;
  const broken = new Promise<string>((resolve) => (tellBroken = resolve));

  const run = async (service: ServiceName, settings: Readonly<Record<string, string>> = {}) => {
    const part = new Part({
      name: service,
      command: process.execPath,
      args: [...NODE_ARGUMENTS, join(ROOT, PROGRAMS[service])],
      env: { ...(await environmentOf(service, stack, ports)), ...settings },
      log: join(logs, `${service}.log`),
      cwd: ROOT,
    });
    parts[service] = part;
    void part.ended.then((reason) => {
      if (!expected.has(part)) tellBroken(reason);
    });
    await ready(part, urlOf(service));
  };
  const stop = async () => {
    Object.values(parts).forEach((part) => expected.add(part));
    await Promise.all(Object.values(parts).map((part) => part.stop()));
  };

  try {
    await Promise.all(services.map((service) => run(service)));
    const base = endpointsOfStack(stack, Object.fromEntries(SERVICES.map((name) => [name, urlOf(name)])));
    const client = new HttpClient(stack.identity, base.services);
    const recipients = services.includes('partner-sharing') ? await registerInternalRecipients(stack, client) : {};
    return {
      endpoints: { ...base, people: await peopleOf(stack.identity), recipients },
      client,
      parts,
      broken,
      stop,
      restart: async (service, settings) => {
        const former = parts[service];
        if (former !== undefined) {
          expected.add(former);
          await former.stop();
        }
        await run(service, settings);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
