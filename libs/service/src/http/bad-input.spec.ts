import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import { eventually } from '@castiron/testing';
import { problem, ServiceRig } from '../testing/service.rig.js';

let idp: TestIssuer;
let rig: ServiceRig;

beforeAll(async () => {
  idp = await startTestIssuer();
  rig = new ServiceRig(idp.issuer, await idp.mint('support', 'anna'));
  await rig.start();
});
afterAll(async () => {
  await rig.service.stop();
  await idp.close();
});

describe('bad input', () => {
  it('that is malformed JSON', async () => {
    expect(await rig.post('{"name":')).toMatchObject(
      problem(400, { code: 'malformed-json', field: 'body', promise: 'P7' }),
    );
    expect(await rig.post('')).toMatchObject(problem(400, { code: 'malformed-json' }));
    expect(await rig.post('{"__proto__":{"x":1},"name":"a"}')).toMatchObject(problem(400, { code: 'malformed-json' }));
  });

  it.each([
    ['in ISO 8859-1', Buffer.from('{"name":"M\u00fcller"}', 'latin1')],
    ['cut within a character', Buffer.from('{"name":"M\u00fc').subarray(0, -1)],
    ['with half a character as three bytes', Buffer.from('7b226e616d65223a22eda080227d', 'hex')],
    ['in UTF-16 with its mark', Buffer.from('\ufeff{"name":"a"}', 'utf16le')],
  ])('that is not UTF-8: %s', async (_how, body) => {
    expect(await rig.post(body)).toMatchObject(problem(400, { code: 'not-utf-8', field: 'body', promise: 'P7' }));
  });

  it('of another charset or encoding than is read', async () => {
    const typed = (parameters: string) =>
      rig.post({ name: 'M\u00fcller' }, { headers: { 'content-type': `application/json${parameters}` } });
    const taken = { status: 201, body: { name: 'M\u00fcller' } };
    for (const parameters of ['; charset=iso-8859-1', ';charset="UTF-16"', '; profile=x; Charset=us-ascii', '\u00a0']) {
      expect(await typed(parameters)).toMatchObject(
        problem(415, { code: 'unsupported-media-type', field: 'header content-type' }),
      );
    }
    for (const parameters of ['; charset=utf-8', ';charset="UTF-8"', '; charset=utf8', '; profile=x']) {
      expect(await typed(parameters)).toMatchObject(taken);
    }
    const encoded = (encoding: string, body: unknown = { name: 'M\u00fcller' }) =>
      rig.post(body, { headers: { 'content-encoding': encoding } });
    const refused = problem(415, { code: 'unsupported-media-type', field: 'header content-encoding' });
    expect(await encoded('gzip')).toMatchObject(refused);
    expect(await encoded('gzip', gzipSync('{"name":"a"}'))).toMatchObject(refused);
    expect(await encoded('identity, br')).toMatchObject(refused);
    expect(await encoded('Identity')).toMatchObject(taken);
  });

  it('is no byte order mark', async () => {
    expect(await rig.post('\ufeff{"name":"a"}')).toMatchObject({ status: 201, body: { name: 'a' } });
  });

  it('is an empty body where one is needed, whatever the headers say of it', async () => {
    const headers = { 'content-type': 'application/json' };
    const id = '0b5c1c1e-6d3f-4e2c-8b7a-0123456789ab';
    for (const more of [{}, { body: '' }, { headers: { ...headers, 'content-encoding': 'gzip' } }]) {
      const removed = await rig.call(`/things/${id}`, { method: 'DELETE', headers, ...more });
      expect(removed).toMatchObject({ status: 200, body: { id, tookBody: false } });
    }
    expect(await rig.call(`/things/${id}`, { headers })).toMatchObject({ status: 200 });
    expect(await rig.call('/things', { method: 'POST', headers })).toMatchObject(
      problem(400, { code: 'malformed-json', field: 'body', detail: 'The body is empty, and should be JSON.' }),
    );
    expect(await rig.call(`/things/${id}`, { method: 'DELETE', headers, body: '{' })).toMatchObject(
      problem(400, { code: 'malformed-json' }),
    );
  });

  it('that is over the limit', async () => {
    expect(await rig.post({ name: 'x'.repeat(300_000) })).toMatchObject(
      problem(413, { code: 'body-too-large', field: 'body', promise: 'P7' }),
    );
  });

  it('that is no JSON at all', async () => {
    expect(
      await rig.post('name=a', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ).toMatchObject(
      problem(415, {
        code: 'unsupported-media-type',
      }),
    );
    expect(await rig.post('<a/>', { headers: { 'content-type': 'text/xml' } })).toMatchObject(
      problem(415, {
        code: 'unsupported-media-type',
      }),
    );
  });

  it('with an unknown field names the field', async () => {
    expect(await rig.post({ name: 'a', admin: true })).toMatchObject(
      problem(400, { code: 'unknown-field', field: 'admin' }),
    );
    expect(await rig.post({ name: 'a', address: { street: 's', zip: 1 } })).toMatchObject(
      problem(400, {
        code: 'unknown-field',
        field: 'address.zip',
      }),
    );
  });

  it('names the field, and the promise where there is one', async () => {
    expect(await rig.post({ name: 'a b' })).toMatchObject(
      problem(400, { code: 'name-needed', field: 'name', promise: 'P1' }),
    );
    const answer = await rig.post({ name: 'a', count: 11 });
    expect(answer).toMatchObject(problem(400, { code: 'invalid-field', field: 'count' }));
    expect(answer.body).not.toHaveProperty('promise');
  });

  it('says first that it is of another kind', async () => {
    const { body } = await rig.post({ name: 'a', count: '1' });
    expect(body).toMatchObject({ field: 'count', detail: 'count must be an integer number' });
  });

  it.each(['constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'with a name that JavaScript knows (%s) is not made smaller in silence',
    async (name) => {
      expect(await rig.post({ name: 'a', [name]: 'x' })).toMatchObject(
        problem(400, { code: 'unknown-field', field: name }),
      );
      expect(await rig.post({ name: 'a', address: { street: 's', [name]: null } })).toMatchObject(
        problem(400, { code: 'unknown-field', field: `address.${name}` }),
      );
      expect(await rig.post({ values: { a: 1, [name]: {} } }, {}, '/things/free')).toMatchObject(
        problem(400, { code: 'attribute-unknown', field: `values.${name}`, promise: 'P1' }),
      );
      expect(await rig.post({ values: { a: name } }, {}, '/things/free')).toMatchObject({ status: 201 });
    },
  );

  it('that is no instant, no line or no text by the rule of its field', async () => {
    const free = (more: object) => rig.post({ values: {}, ...more }, {}, '/things/free');
    const good = { at: '2026-11-23T10:30:00+01:00', how: 'in the portal', text: 'one\ntwo' };
    expect(await free(good)).toMatchObject({ status: 201, body: good });
    for (const at of ['2009-W01-1T00:00:00Z', '2026-11-23T10Z', '2026', 7]) {
      expect(await free({ at })).toMatchObject(
        problem(400, {
          code: 'invalid-field',
          field: 'at',
          promise: 'P8',
          detail: 'at must be an instant like 2026-11-23T09:00:00Z',
        }),
      );
    }
    for (const how of ['a\u2028b', 'a\u202eb', 'a\nb', ' ', 'x'.repeat(21)]) {
      expect(await free({ how })).toMatchObject(problem(400, { code: 'invalid-field', field: 'how', promise: 'P8' }));
    }
    expect(await free({ text: 'a\u202eb' })).toMatchObject(problem(400, { code: 'invalid-field', field: 'text' }));
  });

  it.each([
    ['an array', []],
    ['an array of things', [{ name: 'a' }]],
    ['a string', '"x"'],
    ['null', 'null'],
    ['a number', '7'],
  ])('that is %s instead of an object', async (_name, body) => {
    expect((await rig.post(body)).status).toBe(400);
  });

  it.each([
    ['a field', { name: 'a\u0000b' }, 'name'],
    ['a nested field', { name: 'a', address: { street: 'x\u001b[31m' } }, 'address.street'],
    ['a field, as half a character', '{"name":"\\ud800"}', 'name'],
  ])('with control characters in %s names the field', async (_where, body, field) => {
    expect(await rig.post(body)).toMatchObject(problem(400, { code: 'control-characters', field, promise: 'P7' }));
  });

  it('with control characters in a name, the path or the query', async () => {
    expect(await rig.post({ 'a\u0007': 1 })).toMatchObject(
      problem(400, { code: 'control-characters', field: 'body', promise: 'P7' }),
    );
    expect(await rig.call('/things/%00')).toMatchObject(
      problem(400, { code: 'control-characters', field: 'path.id', promise: 'P7' }),
    );
    expect(await rig.call('/things/search?q=%0b')).toMatchObject(
      problem(400, { code: 'control-characters', field: 'query.q' }),
    );
  });

  it('nested without end names the field, where rows check their own text too', async () => {
    const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    const refused = (field: string) => problem(400, { code: 'too-deep', field, promise: 'P7' });
    expect(await rig.post(`{"name":${deep(5_000)}}`)).toMatchObject(refused('name.0'));
    expect(await rig.post(deep(100_000))).toMatchObject(refused('0.0'));
    const rows = (row: string, headers?: Record<string, string>) =>
      rig.post(`{"rows":[{},${row}]}`, headers && { headers }, '/things/rows');
    expect(await rows(deep(100_000))).toMatchObject(refused('rows.1'));
    expect(await rows(deep(100_000), { 'idempotency-key': 'k' })).toMatchObject(refused('rows.1'));
    expect(await rows(deep(30))).toMatchObject({ status: 201, body: { rows: 2 } });
    expect(await rows(deep(31))).toMatchObject(refused('rows.1'));
  });

  it('with a broken address or a bad id', async () => {
    expect(await rig.call('/things/%zz')).toMatchObject(problem(400, { code: 'bad-address' }));
    expect(await rig.call('/things/not-a-uuid')).toMatchObject(problem(400, { code: 'not-a-uuid', field: 'path.id' }));
    expect(await rig.call('/nowhere')).toMatchObject(problem(404, { code: 'no-such-route' }));
  });

  it.each([
    ['a control character', 'x-thing: a\u0001b', 400],
    ['a tab', 'x-thing: a\tb', 400],
    ['a bare line feed', 'x-thing: a\nb', 400],
    ['more than fits', `x-thing: ${'a'.repeat(20_000)}`, 431],
  ])('with a header that holds %s', async (_name, header, status) => {
    const text = await raw(
      `GET /things/search?q=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${rig.token}\r\n${header}\r\n\r\n`,
    );
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text.toLowerCase()).toContain('application/problem+json');
  });

  it('never comes back in a log or an answer', async () => {
    // With lines of its own: of the requests before it, it may be told yet.
    const own = new ServiceRig(idp.issuer, rig.token);
    await own.start();
    onTestFinished(() => own.service.stop());
    own.lines.length = 0;
    const answers = [
      await own.post({ name: 'quince jam' }),
      await own.post('{"name":"quince'),
      await own.call('/things/quince'),
      await own.call('/nowhere/quince?q=quince'),
    ];
    await own.call('/things/search?q=quince');
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 404]);
    for (const { body } of answers) expect(JSON.stringify(body)).not.toContain('quince');
    const requests = () => own.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    // Each is told of once it is answered.
    await eventually(() => expect(requests()).toHaveLength(5));
    expect(requests().find(({ route }) => route === '/things/search')).toMatchObject({ method: 'GET', status: 200 });
    expect(own.lines.join()).not.toContain('quince');
  });
});

/** Sends bytes that `fetch` would refuse to send. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(rig.service.url);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.end(text, 'latin1'));
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    socket.on('close', () => resolve(received)).on('error', reject);
  });
}
