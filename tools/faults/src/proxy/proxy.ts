import { createServer, type AddressInfo, type Server } from 'node:net';
import { Link, type Gate } from './link.js';
import type { Inspector } from './points.js';

/** A port of ours in front of a server's: one per replica and server, so that the owner of a connection is known. */
export class Proxy {
  readonly links = new Set<Link>();
  /** As if the network were away: whoever connects is cut off. */
  refuses = false;

  private constructor(
    readonly owner: string,
    private readonly server: Server,
  ) {}

  /** @param target where the server listens; asked with each connection, for it may not be known from the start */
  static async listen(options: {
    owner: string;
    target: () => number;
    inspect: () => Inspector;
    gate: Gate;
  }): Promise<Proxy> {
    const server = createServer();
    const proxy = new Proxy(options.owner, server);
    server.on('connection', (client) => {
      if (proxy.refuses) return void client.destroy();
      const link = new Link(options.owner, client, options.target(), options.inspect(), options.gate, (closed) =>
        proxy.links.delete(closed),
      );
      proxy.links.add(link);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cutAll(): void {
    for (const link of this.links) link.cut();
  }

  close(): void {
    this.cutAll();
    this.server.close();
  }
}
