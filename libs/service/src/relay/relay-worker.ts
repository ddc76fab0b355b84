import { parentPort, workerData } from 'node:worker_threads';
import { createLogger } from '@castiron/observability';
import { Relay } from '@castiron/outbox';
import { connectionTo } from '../database/connection.js';
import { kafkaOf } from './kafka-of.js';
import { RelayMemory } from './relay-memory.js';
import type { Asked, WorkerData } from './relay-thread.js';

// The thread of `RelayThread`. Whatever goes wrong before it has started ends it, and is told there.
const { settings, cells } = workerData as WorkerData;
const memory = new RelayMemory(cells);
const logger = createLogger(settings.name, settings.logLevel);
const relay = new Relay({
  name: settings.name,
  database: connectionTo(settings.databaseUrl),
  kafka: kafkaOf(settings, logger),
  logger,
  leaseMs: settings.leaseMs,
  pollMs: settings.pollMs,
  counted: (what, by) => memory.add(what, by),
});

async function stop(): Promise<void> {
  await relay.stop();
  process.exit();
}

parentPort?.on('message', (asked: Asked) => {
  if (asked === 'stop') return void stop();
  memory.takeNews();
  relay.wake();
});

await relay.start();
parentPort?.postMessage('started');
