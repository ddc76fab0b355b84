import { createServer, Socket, type AddressInfo, type Server } from 'node:net';
import { takeLeaders } from './take-leaders.js';

/**
 * Stands on the wire between a client and the broker.
 * `open` lets everything pass. `deaf` lets requests pass and drops the answers. `cut` lets requests pass, drops their
 * answers with the connection, and takes no new one. `held` keeps back what is to be written (Produce requests) and what
 * follows it on its connection, `frozen` everything both ways: it arrives once the valve is open again, also where the
 * client has hung up meanwhile, as bytes do that are on their way.
 */
export type ValveState = 'open' | 'deaf' | 'cut' | 'held' | 'frozen';

const PRODUCE = 0;
const METADATA = 3;
/** What kafkajs asks for. */
const METADATA_VERSION = 6;
const LENGTH_BYTES = 4;
/** From this version on strings have short lengths, and the header ends in tags. */
const FLEXIBLE_PRODUCE = 9;

/** How many acknowledgements a Produce request asks for; -1 for all. */
function acksOf(frame: Buffer): number {
  const clientId = LENGTH_BYTES + 8;
  const body = clientId + 2 + Math.max(0, frame.readInt16BE(clientId));
  if (frame.readInt16BE(LENGTH_BYTES + 2) >= FLEXIBLE_PRODUCE) {
    const transactionalId = body + 1;
    return frame.readInt16BE(transactionalId + Math.max(1, frame.readUInt8(transactionalId)));
  }
  return frame.readInt16BE(body + 2 + Math.max(0, frame.readInt16BE(body)));
}

type Connect = (this: Socket, ...args: unknown[]) => Socket;
const prototype = Socket.prototype as unknown as { connect: Connect };

/** Cuts what comes into whole frames. */
class Frames {
  private rest = Buffer.alloc(0);

  of(bytes: Buffer): Buffer[] {
    this.rest = Buffer.concat([this.rest, bytes]);
    const frames: Buffer[] = [];
    while (this.rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.rest.readInt32BE(0);
      if (this.rest.length < end) break;
      frames.push(this.rest.subarray(0, end));
      this.rest = this.rest.subarray(end);
    }
    return frames;
  }
}

/** One connection, both ways. */
class Link {
  private readonly far = new Socket();
  private readonly toFar: Buffer[] = [];
  private readonly toNear: Buffer[] = [];
  private readonly requests = new Frames();
  private readonly answers = new Frames();
  /** The numbers of requests for metadata. */
  private readonly metadata = new Set<number>();
  private hungUp = false;

  constructor(
    private readonly valve: Valve,
    private readonly near: Socket,
    connectFar: (far: Socket) => void,
  ) {
    near.on('data', (bytes) => this.request(bytes));
    this.far.on('data', (bytes) => this.answer(bytes));
    near.on('error', () => undefined).on('close', () => this.hangUp());
    this.far.on('error', () => undefined).on('close', () => near.destroy());
    connectFar(this.far);
  }

  get holds(): boolean {
    return this.toFar.length > 0;
  }

  get connected(): boolean {
    return !this.hungUp;
  }

  flow(): void {
    for (const frame of this.toFar.splice(0)) this.far.write(frame);
    for (const bytes of this.toNear.splice(0)) this.giveBack(bytes);
    if (this.hungUp) this.far.end();
  }

  destroy(): void {
    this.near.destroy();
    this.far.destroy();
  }

  private request(bytes: Buffer): void {
    for (const frame of this.requests.of(bytes)) {
      const { state } = this.valve;
      const api = frame.readInt16BE(LENGTH_BYTES);
      if (api === PRODUCE) this.valve.acks.add(acksOf(frame));
      if (api === METADATA && frame.readInt16BE(LENGTH_BYTES + 2) === METADATA_VERSION)
        this.metadata.add(frame.readInt32BE(LENGTH_BYTES + 4));
      if (this.holds || state === 'frozen' || (state === 'held' && api === PRODUCE)) this.toFar.push(frame);
      else this.far.write(frame);
    }
  }

  private answer(bytes: Buffer): void {
    this.valve.answers += 1;
    this.valve.answeredBytes += bytes.length;
    const { state } = this.valve;
    if (state === 'cut' || this.valve.answers > this.valve.cutAfter) this.destroy();
    else if (state === 'frozen') this.toNear.push(bytes);
    else if (state !== 'deaf') this.giveBack(bytes);
  }

  private giveBack(bytes: Buffer): void {
    for (const frame of this.answers.of(bytes)) {
      if (this.metadata.delete(frame.readInt32BE(LENGTH_BYTES))) takeLeaders(frame, this.valve.leaderless);
      this.near.write(frame);
    }
  }

  private hangUp(): void {
    this.hungUp = true;
    if (!this.holds) this.far.end();
  }
}

export class Valve {
  private readonly links = new Set<Link>();
  private current: ValveState = 'open';
  /**
   * Connections to the broker that are made while this is true lead through the valve, whichever client makes them; the
   * others of this process go straight.
   */
  through = false;
  /** How many pieces the broker has answered with. */
  answers = 0;
  answeredBytes = 0;
  /** The connection that brings more of them than this is cut. */
  cutAfter = Infinity;
  /** What the writes that came by asked for. */
  readonly acks = new Set<number>();
  /** Of these partitions, `topic/partition` each, kafkajs is told that nobody leads them. */
  readonly leaderless = new Set<string>();

  private constructor(
    private readonly server: Server,
    private readonly restore: () => void,
  ) {}

  /** @param broker `host:port`. One valve at a time: all clients of this process share the way of connecting. */
  static async open(broker: string): Promise<Valve> {
    const [host, port] = [broker.slice(0, broker.lastIndexOf(':')), Number(broker.slice(broker.lastIndexOf(':') + 1))];
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const own = (server.address() as AddressInfo).port;
    const { connect } = prototype;
    const valve = new Valve(server, () => {
      prototype.connect = connect;
    });
    prototype.connect = function (...args) {
      // What `net.connect` hands on is a list that holds the options first.
      const options = (Array.isArray(args[0]) ? args[0] : args) as { port?: number | string }[];
      if (valve.through && Number(options[0]?.port) === port) options[0] = { ...options[0], port: own };
      return connect.apply(this, args);
    };
    server.on('connection', (near) => {
      if (valve.state === 'cut') return void near.destroy();
      const link = new Link(valve, near, (far) => void connect.call(far, { host, port }));
      valve.links.add(link);
    });
    return valve;
  }

  get state(): ValveState {
    return this.current;
  }

  set state(state: ValveState) {
    this.current = state;
    if (state === 'open') for (const link of this.links) link.flow();
  }

  /** Whether requests are kept back. */
  get holds(): boolean {
    return [...this.links].some((link) => link.holds);
  }

  /** Whether a client holds a connection through it. */
  get connected(): boolean {
    return [...this.links].some((link) => link.connected);
  }

  close(): Promise<void> {
    this.restore();
    for (const link of this.links) link.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
