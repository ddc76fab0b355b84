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

/**
 * CASTIRON_STACK says `docker` or `process`; unset, Docker where an engine answers and its images are there or can be
 * had within a minute, else processes.
 */
export async function chooseBackend(wanted = process.env['CASTIRON_STACK'] ?? ''): Promise<Backend> {
  switch (wanted) {
    case 'process':
      return processBackend;
    case 'docker':
      return docker().catch((error: unknown) => {
        throw new CannotStart(
          `CASTIRON_STACK=docker, but there is no Docker engine with the images: ${messageOf(error)}.`,
        );
      });
    case '':
      return mayHaveDocker() ? docker().catch(() => processBackend) : processBackend;
    default:
      throw new CannotStart(`CASTIRON_STACK is docker or process, not "${wanted}".`);
  }
}
