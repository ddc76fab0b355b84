import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CannotImport } from './assignments.js';
import { customerMapping } from './customer-rows.js';
import { importFile } from './import-file.js';
import { ImportService, ImportStopped } from './import-service.js';

interface Body {
  readonly door: string;
  readonly rows: readonly { readonly key: string; readonly attributes: Record<string, string> }[];
}

let folder: string;
let server: Server;
let url: string;
/** What the service holds: like the real one, it takes a key once. */
let held: Map<string, Record<string, string>>;
/** Answers that come instead of the real one, first in first out. */
let instead: number[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-import-'));
  held = new Map();
  instead = [];
  server = createServer((request, response) => {
    void (async () => {
      const { rows } = (await json(request)) as Body;
      // One value makes the whole request bad, as a body that cannot be parsed does.
      const status =
        instead.shift() ?? (rows.some(({ attributes }) => attributes['companyName'] === 'poison') ? 400 : 200);
      response.writeHead(status, { 'content-type': 'application/json' });
      if (status !== 200) return response.end(JSON.stringify({ title: 'Refused', detail: `told ${status}` }));
      const answers = rows.map(({ key, attributes }) => {
        if (attributes['companyName'] === undefined)
          return { key, outcome: 'refused', reason: 'companyName: compulsory (P1)' };
        if (held.has(key)) return { key, outcome: 'existing', customer: `id-${key}` };
        held.set(key, attributes);
        return { key, outcome: 'created', customer: `id-${key}` };
      });
      return response.end(JSON.stringify({ rows: answers }));
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/imports/customers`;
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

const file = () => join(folder, 'customers.csv');

function run(path = file(), patienceMs = 5_000) {
  const options = {
    key: 'CIK',
    door: 'service-order',
    map: new Map([
      ['companyName', 'Name'],
      ['registeredAddress', 'HQ address'],
    ]),
    set: new Map([['servicesUsed', 'dedicated server']]),
  };
  return importFile({
    file: path,
    label: 'customers',
    delimiter: ',',
    width: 3,
    service: new ImportService(url, async () => 'token', patienceMs),
    common: { door: options.door },
    mapping: (header) => customerMapping(header, options).rowOf,
    onWire: (row) => row,
  });
}

describe('an import', () => {
  it('brings each customer once, however often it runs', async () => {
    const lines = Array.from({ length: 1_203 }, (_, at) => `${at},Company ${at},"${at} Oak Street\r\nSpringfield"`);
    await writeFile(file(), `\uFEFFCIK,Name,HQ address\r\n${lines.join('\r\n')}\r\n`);
    expect(await run()).toMatchObject({ read: 1_203, created: 1_203, existing: 0, refused: 0, refusedFile: undefined });
    expect(held.get('77')).toEqual({
      companyName: 'Company 77',
      registeredAddress: '77 Oak Street\nSpringfield',
      servicesUsed: 'dedicated server',
    });
    expect(await run()).toMatchObject({ read: 1_203, created: 0, existing: 1_203, refused: 0 });
  });

  it('writes down who refused which line and why, and takes the mended file', async () => {
    await writeFile(file(), 'CIK,Name,HQ address\n1,A,x\n,B,x\n3,,"+x\ny"\n4,D\n5,poison,x\n6,F,x\n');
    const first = await run();
    expect(first).toMatchObject({ read: 6, created: 2, refused: 4 });
    const refused = await readFile(first.refusedFile ?? '', 'utf8');
    expect(refused).toBe(
      [
        'refused line,refused reason,CIK,Name,HQ address',
        '3,"no customer number in column ""CIK""",,B,x',
        '4,companyName: compulsory (P1),3,,"\'+x\ny"',
        '6,2 fields where the header has 3,4,D',
        '7,told 400,5,poison,x',
        '',
      ].join('\n'),
    );
    const mended = join(folder, 'mended.csv');
    await writeFile(mended, refused.replace('3,,', '3,C,'));
    expect(await run(mended)).toMatchObject({ read: 4, created: 1, refused: 3 });
    expect(held.get('3')).toMatchObject({ registeredAddress: '+x\ny' });
  });

  it('goes on when the service was away for a moment', async () => {
    await writeFile(file(), 'CIK,Name,HQ address\n1,A,x\n');
    instead = [503, 429];
    expect(await run()).toMatchObject({ created: 1 });
  });

  it('stops, and says why, when the service stays away or lets nobody in', async () => {
    await writeFile(file(), 'CIK,Name,HQ address\n1,A,x\n');
    instead = [401];
    await expect(run()).rejects.toThrow(new ImportStopped(`${url} answered 401: told 401`));
    instead = Array.from({ length: 9 }, () => 503);
    await expect(run(file(), 500)).rejects.toThrow(`${url} answers 503`);
  });

  it('gives up soon on a service that was never there, and says so in a sentence', async () => {
    await writeFile(file(), 'CIK,Name,HQ address\n1,A,x\n');
    server.close();
    await expect(run(file(), 120_000)).rejects.toThrow(
      /cannot be reached \(connect ECONNREFUSED .*does Castiron run\?$/,
    );
  }, 9_000);

  it('waits for a token that cannot be read for a moment, as when Castiron starts again', async () => {
    await writeFile(file(), 'CIK,Name,HQ address\n1,A,x\n');
    let asked = 0;
    const service = new ImportService(url, async () => {
      if ((asked += 1) === 1) throw new CannotImport('cannot read endpoints.json');
      return 'token';
    });
    expect(
      await service.send({ door: 'service-order' }, [{ key: '1', attributes: { companyName: 'A' } }]),
    ).toMatchObject([{ outcome: 'created' }]);
  });

  it('says in a sentence what cannot be read or written', async () => {
    await expect(run(join(folder, 'none.csv'))).rejects.toThrow(/^there is no file .*none\.csv$/);
    await expect(run(folder)).rejects.toThrow(/is not a file$/);
    await writeFile(file(), '');
    await expect(run()).rejects.toThrow(/is empty: it has no header$/);
    await writeFile(file(), 'CIK,Name,HQ address\n1,A,x\n');
    await mkdir(join(folder, 'customers.refused.csv'));
    await expect(run()).rejects.toThrow(/^cannot write .*customers\.refused\.csv, where refused rows go: /);
  });

  it('ends, and does not wait for ever, where reading fails', async () => {
    // On Linux a file that can be opened and not read; elsewhere there is none.
    await expect(run('/proc/self/mem')).rejects.toThrow(/^(cannot read|there is no file) \/proc\/self\/mem/);
  });

  it('reads a file of nothing but a header', async () => {
    await writeFile(file(), 'CIK,Name,HQ address\n');
    expect(await run()).toMatchObject({ read: 0, created: 0, refused: 0, unread: undefined });
  });

  it('brings what stands before a quote that is never closed, and says where that is', async () => {
    await writeFile(file(), 'CIK,Name,HQ address\n1,A,x\n2,"B,x\n3,C,x\n');
    expect(await run()).toMatchObject({
      created: 1,
      refused: 1,
      unread: 'line 3: a quote is never closed (nothing from here on was read)',
    });
  });
});
