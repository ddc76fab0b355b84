import { parentPort, workerData } from 'node:worker_threads';
import { highWatermarks, type KafkaSettings } from '@castiron/kafka';

/** Every message to the worker is one question: the topic that is asked about. */
const { settings, partitions } = workerData as { settings: KafkaSettings; partitions: number[] };

parentPort?.on('message', (topic: string) => {
  void highWatermarks(settings, topic, partitions).then(
    (ends) =>
      parentPort?.postMessage(Object.fromEntries([...ends].map(([partition, offset]) => [partition, String(offset)]))),
    () => parentPort?.postMessage(undefined),
  );
});
parentPort?.postMessage('ready');
