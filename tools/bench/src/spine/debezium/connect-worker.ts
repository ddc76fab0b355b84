import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { choosePorts, Part, type StackEndpoints } from '@castiron/local-stack';
import type { Places } from '../places.js';
import { ProcessUse } from '../process-use.js';
import { DEBEZIUM_JARS } from './jars.js';

const READY_WITHIN_MS = 60_000;
const PAUSE_MS = 100;

/**
 * As Kafka's own start script has it (`connect-standalone.sh`), with the heap that Kafka gives to Connect, and collected as the
 * broker is here.
 */
const JVM = [
  '-Xms256M',
  '-Xmx2G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:MaxTenuringThreshold=2',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

function properties(kafka: Places['kafka'], port: number, folder: string): string {
  const login = (prefix: string) => `
${prefix}security.protocol=SASL_PLAINTEXT
${prefix}sasl.mechanism=SCRAM-SHA-512
${prefix}sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="${kafka.username}" password="${kafka.password}";`;
  return `
bootstrap.servers=${kafka.brokers.join()}
listeners=http://127.0.0.1:${port}
offset.storage.file.filename=${join(folder, 'offsets')}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
header.converter=org.apache.kafka.connect.storage.StringConverter
${login('')}
${login('producer.')}
`;
}

/** One Kafka Connect worker, a JVM that lives over all rounds. Its connectors are made and steered by its REST interface. */
export class ConnectWorker {
  readonly use: ProcessUse;

  private constructor(
    private readonly part: Part,
    private readonly url: string,
  ) {
    if (part.pid === undefined) throw new Error('Kafka Connect has no process');
    this.use = new ProcessUse(part.pid);
  }

  static async start(stack: StackEndpoints, kafka: Places['kafka']): Promise<ConnectWorker> {
    const folder = join(stack.dataDir, 'debezium');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { connect: port } = await choosePorts(['connect'], join(folder, 'ports.json'));
    const file = join(folder, 'worker.properties');
    await writeFile(file, properties(kafka, port, folder), { mode: 0o600 });
    const part = new Part({
      name: 'kafka-connect',
      command: 'java',
      args: [...JVM, '-cp', await DEBEZIUM_JARS.classPath(), 'org.apache.kafka.connect.cli.ConnectStandalone', file],
      log: join(folder, 'connect.log'),
    });
    const worker = new ConnectWorker(part, `http://127.0.0.1:${port}`);
    await worker.answers();
    return worker;
  }

  /** @throws where the worker refuses, with what it says */
  async ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Kafka Connect refuses ${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  stop(): Promise<void> {
    return this.part.stop();
  }

  private async answers(): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    let gone: string | undefined;
    void this.part.ended.then((reason) => (gone = reason));
    for (;;) {
      try {
        await this.ask('GET', '/connectors');
        return;
      } catch (error) {
        if (gone !== undefined) throw new Error(gone, { cause: error });
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }
}
