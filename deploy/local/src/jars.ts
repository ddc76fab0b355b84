import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { CannotStart } from './cannot-start.js';
import { CACHE } from './places.js';

const run = promisify(execFile);
const OLDEST_JAVA = 17;

const INSTALL = `install Java ${OLDEST_JAVA} or later and Maven (Debian: apt-get install openjdk-17-jre-headless maven), or start a Docker engine`;

/** Fails with what to install where there is no Java that these programs run on. */
async function needJava(): Promise<void> {
  const { stderr } = await run('java', ['-version']).catch(() => {
    throw new CannotStart(`Kafka needs Java, which this machine does not have: ${INSTALL}.`);
  });
  const version = Number(/version "(\d+)/.exec(stderr)?.[1]);
  if (version < OLDEST_JAVA)
    throw new CannotStart(`Kafka needs Java ${OLDEST_JAVA}, this machine has ${version}: ${INSTALL}.`);
}

export interface JarsOptions {
  readonly name: string;
  /** Names the jars with their versions; what it compiles goes to `${outputDirectory}/classes`. */
  readonly pom: string;
  /** Sources that the POM compiles. */
  readonly sources?: readonly string[];
  readonly megabytes: number;
}

/** A Java program from Maven Central, fetched once per clone and version. */
export class Jars {
  constructor(private readonly options: JarsOptions) {}

  async fetch(): Promise<void> {
    await needJava();
    const folder = await this.folder();
    await access(folder).catch(() => this.download(folder));
  }

  /** The class path, once it is fetched. */
  async classPath(): Promise<string> {
    const folder = await this.folder();
    return [join(folder, '*'), ...(this.options.sources === undefined ? [] : [join(folder, 'classes')])].join(
      delimiter,
    );
  }

  private async folder(): Promise<string> {
    const { name, pom, sources = [] } = this.options;
    const hash = createHash('sha256');
    for (const file of [pom, ...sources]) hash.update(await readFile(file));
    return join(CACHE, `${name}-${hash.digest('hex').slice(0, 12)}`);
  }

  private async download(folder: string): Promise<void> {
    const { name, pom, sources, megabytes } = this.options;
    const half = `${folder}.${process.pid}`;
    console.log(`Fetching ${name} (${megabytes} MB, once) ...`);
    await mkdir(half, { recursive: true });
    try {
      const goals = [...(sources === undefined ? [] : ['compile']), 'dependency:copy-dependencies'];
      await run('mvn', ['-q', '-B', '-f', pom, ...goals, `-DoutputDirectory=${half}`]);
    } catch (error) {
      await rm(half, { recursive: true, force: true });
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        throw new CannotStart(`The jars of ${name} come through Maven, which this machine does not have: ${INSTALL}.`);
      }
      throw new CannotStart(
        `Maven could not fetch the jars of ${name}: ${String((error as { stdout?: string }).stdout ?? error).slice(0, 500)}`,
      );
    }
    // Whole or not at all; where another process was faster, its folder is as good.
    await rename(half, folder).catch(() => rm(half, { recursive: true, force: true }));
  }
}

/** A Kafka broker and its tools. */
export const KAFKA_JARS = new Jars({
  name: 'kafka',
  pom: join(import.meta.dirname, '../kafka/pom.xml'),
  megabytes: 54,
});
