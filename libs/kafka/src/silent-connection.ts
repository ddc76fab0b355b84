import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket | null;
}
type Send = (this: Connection, request: unknown) => Promise<unknown>;

const required = createRequire(import.meta.url);
const ConnectionClass = required('kafkajs/src/network/connection.js') as { prototype: { send: Send } };
const { KafkaJSRequestTimeoutError } = required('kafkajs/src/errors.js') as {
  KafkaJSRequestTimeoutError: new () => Error;
};
const { send } = ConnectionClass.prototype;
/**
 * kafkajs 2.2.4 keeps a connection on which a request got no answer in time, and asks there again, each time as long: a
 * member of a group whose connection is half open asks until its process is ended. Cut, whatever follows gets a new one.
 */
ConnectionClass.prototype.send = async function (this: Connection, request: unknown) {
  try {
    return await send.call(this, request);
  } catch (error) {
    // With an error: of a mere close kafkajs hears nothing.
    if (error instanceof KafkaJSRequestTimeoutError) this.socket?.destroy(error);
    throw error;
  }
};
