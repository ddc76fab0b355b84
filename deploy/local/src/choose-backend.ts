import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from './backend.js';
import { CannotStart } from './cannot-start.js';
import { processBackend } from './process-backend.js';

/** Where an engine's socket usually is. Loading Testcontainers takes a second, so look before. */
const SOCKETS = [
  '/var/run/docker.sock',
  join(homedir(), '.docker/run/docker.sock'),
  join(homedir(), '.colima/default/docker.sock'),
];
const mayHaveDocker = (): boolean =>
  process.env['DOCKER_HOST'] !== undefined || SOCKETS.some((path) => existsSync(path));

const docker = async (): Promise<Backend> => (await import('./docker-backend.js')).dockerBackend();

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

async function byName(name: string): Promise<Backend> {
  if (name === 'process') return processBackend;
  if (name !== 'docker') throw new CannotStart(`CASTIRON_STACK is docker or process, not "${name}".`);
  return docker().catch((error: unknown) => {
    throw new CannotStart(`CASTIRON_STACK=docker, but there is no Docker engine with the images: ${messageOf(error)}.`);
  });
}

/**
 * CASTIRON_STACK says `docker` or `process`; unset, what the data that is kept was made with, and at first Docker where
 * an engine answers and its images are there or can be had within a minute, else processes.
 */
export async function chooseBackend(
  madeWith: string | undefined,
  wanted = process.env['CASTIRON_STACK'],
): Promise<Backend> {
  if (wanted !== undefined && madeWith !== undefined && wanted !== madeWith) {
    throw new CannotStart(
      `CASTIRON_STACK=${wanted}, but the data was made with ${madeWith}: start with --fresh, or with CASTIRON_STACK=${madeWith}.`,
    );
  }
  const name = wanted ?? madeWith;
  if (name !== undefined) return byName(name);
  if (!mayHaveDocker()) return processBackend;
  return docker().catch((error: unknown) => {
    console.error(`Docker is not used, for ${messageOf(error)}; Kafka and PostgreSQL run as processes instead.`);
    return processBackend;
  });
}
