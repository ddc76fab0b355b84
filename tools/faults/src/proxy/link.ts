import { connect, type Socket } from 'node:net';
import { Frames } from './frames.js';
import type { Inspector, Point } from './points.js';

/** Whether a frame at this point is to be kept back. */
export type Gate = (point: Point, pipe: Pipe) => boolean;

/** One direction of a connection. */
export class Pipe {
  private held: Buffer[] | undefined;

  constructor(
    readonly link: Link,
    private readonly from: Socket,
    private readonly to: Socket,
    look: (frame: Buffer) => Point | undefined,
    lengthOf: (bytes: Buffer) => number | undefined,
    gate: Gate,
  ) {
    const frames = new Frames(lengthOf);
    from.on('data', (chunk: Buffer) => {
      // What is kept back stays uninspected, so that its points are seen when they come to pass.
      for (const frame of frames.push(chunk)) {
        if (this.held === undefined) this.pass(frame, look, gate);
        else this.held.push(frame);
      }
    });
    this.letGo = () => {
      const waiting = this.held ?? [];
      this.held = undefined;
      const [first, ...rest] = waiting;
      if (first !== undefined) this.write(first);
      for (const frame of rest) {
        if (this.held === undefined) this.pass(frame, look, gate);
        else (this.held as Buffer[]).push(frame);
      }
    };
  }

  /** Sends on what was kept back. */
  readonly letGo: () => void;

  /** Keeps back everything from now on. */
  hold(): void {
    this.held ??= [];
  }

  private pass(frame: Buffer, look: (frame: Buffer) => Point | undefined, gate: Gate): void {
    const point = look(frame);
    if (point !== undefined && gate(point, this)) {
      this.held = [frame];
      return;
    }
    this.write(frame);
  }

  private write(frame: Buffer): void {
    if (this.to.destroyed || this.to.write(frame) || this.from.isPaused()) return;
    this.from.pause();
    this.to.once('drain', () => this.from.resume());
  }
}

/** One connection of a replica to its database or broker, with us in the middle. */
export class Link {
  readonly requests: Pipe;
  readonly answers: Pipe;
  private readonly server: Socket;
  /** Bytes kept back outlive whoever sent them: as if the network had them. */
  private outlives = false;
  private isFrozen = false;

  constructor(
    readonly owner: string,
    private readonly client: Socket,
    port: number,
    inspector: Inspector,
    gate: Gate,
    onClosed: (link: Link) => void,
  ) {
    const server = connect({ host: '127.0.0.1', port });
    this.server = server;
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => undefined);
    this.requests = new Pipe(this, client, server, (frame) => inspector.request(frame), inspector.requestLength, gate);
    this.answers = new Pipe(this, server, client, (frame) => inspector.answer(frame), inspector.answerLength, gate);
    client.once('close', () => {
      if (!this.outlives) server.destroySoon();
    });
    server.once('close', () => {
      if (!this.isFrozen) client.destroySoon();
      onClosed(this);
    });
  }

  /** Ends the connection on both sides; what was kept back is lost. */
  cut(): void {
    this.client.destroy();
    this.server.destroy();
  }

  /** From now on nothing passes, and neither end is told of anything, not even that the other has gone: half open. */
  freeze(): void {
    this.isFrozen = this.outlives = true;
    this.requests.hold();
    this.answers.hold();
  }

  /** Whether the replica has ended its side. */
  get isGivenUp(): boolean {
    return this.client.destroyed;
  }

  /** The client's end does not end the server's: what is kept back can still arrive, see {@link arrive}. */
  outlive(): void {
    this.outlives = true;
  }

  /** Delivers what was kept back after its sender has gone, then ends the connection. */
  arrive(): void {
    this.requests.letGo();
    this.server.end();
  }
}
