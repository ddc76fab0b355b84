import { parentPort, workerData } from 'node:worker_threads';
import { highWatermarks, type KafkaSettings } from '@castiron/kafka';

/** Which feed is asked about; every message to the worker is one question. */
const { settings, topic, partitions } = workerData as {
  settings: KafkaSettings;
  topic: string;
  partitions: number[];
};

parentPort?.on('message', () => {
  void highWatermarks(settings, topic, partitions).then(
    (ends) =>
      parentPort?.postMessage(Object.fromEntries([...ends].map(([partition, offset]) => [partition, String(offset)]))),
    () => parentPort?.postMessage(undefined),
  );
});
parentPort?.postMessage('ready');
