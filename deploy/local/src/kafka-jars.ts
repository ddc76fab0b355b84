import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CannotStart } from './cannot-start.js';
import { CACHE } from './places.js';

const run = promisify(execFile);
const POM = join(import.meta.dirname, '../kafka/pom.xml');
const OLDEST_JAVA = 17;

const INSTALL = `install Java ${OLDEST_JAVA} or later and Maven (Debian: apt-get install openjdk-17-jre-headless maven), or start a Docker engine`;

/** Fails with what to install where there is no Java that Kafka runs on. */
async function needJava(): Promise<void> {
  const { stderr } = await run('java', ['-version']).catch(() => {
    throw new CannotStart(`Kafka needs Java, which this machine does not have: ${INSTALL}.`);
  });
  const version = Number(/version "(\d+)/.exec(stderr)?.[1]);
  if (version < OLDEST_JAVA)
    throw new CannotStart(`Kafka needs Java ${OLDEST_JAVA}, this machine has ${version}: ${INSTALL}.`);
}

async function download(folder: string): Promise<void> {
  const half = `${folder}.${process.pid}`;
  console.log('Fetching Kafka (54 MB, once) ...');
  await mkdir(half, { recursive: true });
  try {
    await run('mvn', ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${half}`]);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new CannotStart(`Kafka's jars come through Maven, which this machine does not have: ${INSTALL}.`);
    }
    throw new CannotStart(
      `Maven could not fetch Kafka's jars: ${String((error as { stdout?: string }).stdout ?? error).slice(0, 500)}`,
    );
  }
  // Whole or not at all; where another process was faster, its folder is as good.
  await rename(half, folder).catch(() => rm(half, { recursive: true, force: true }));
}

async function folderOfJars(): Promise<string> {
  const version = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 12);
  return join(CACHE, `kafka-${version}`);
}

/** Fetches the jars of a Kafka broker, once per clone and POM. */
export async function fetchKafka(): Promise<void> {
  await needJava();
  const folder = await folderOfJars();
  await access(folder).catch(() => download(folder));
}

/** The class path of a Kafka broker, whose jars are there. */
export const kafkaClassPath = async (): Promise<string> => join(await folderOfJars(), '*');
