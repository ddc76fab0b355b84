import { connect, createServer, type AddressInfo, type Server } from 'node:net';

/** One address for the replicas of a service, in turn; one that does not listen is passed over. */
export class Front {
  private next = 0;
  private readonly server: Server;

  constructor(private readonly ports: () => readonly number[]) {
    this.server = createServer((client) => {
      client.on('error', () => undefined);
      const all = this.ports();
      this.next += 1;
      const inTurn = all.map((_, index) => all[(this.next + index) % all.length] ?? 0);
      const attempt = (): void => {
        const port = inTurn.shift();
        if (port === undefined) return void client.destroy();
        const server = connect({ host: '127.0.0.1', port });
        server.once('error', attempt);
        server.once('connect', () => {
          server.off('error', attempt).on('error', () => undefined);
          client.pipe(server).pipe(client);
          client.once('close', () => server.destroy());
          server.once('close', () => client.destroy());
        });
      };
      attempt();
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
  }
}
