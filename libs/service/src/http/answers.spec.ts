import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

describe('answers', () => {
  it('carry what refused', async () => {
    expect(await rig.call('/things/refused')).toMatchObject(
      problem(409, {
        code: 'taken',
        detail: 'It is taken.',
        promise: 'P8',
        type: 'urn:castiron:problem:taken',
      }),
    );
  });

  it('take the forms of mail programs on public routes only', async () => {
    const form = new FormData();
    form.set('List-Unsubscribe', 'One-Click');
    expect((await rig.call('/cancellations/abc', { method: 'POST', body: form, token: null })).status).toBe(201);
    expect(
      (
        await rig.call('/cancellations/abc', {
          method: 'POST',
          body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
          token: null,
        })
      ).status,
    ).toBe(201);
    expect((await rig.call(`/cancellations/${'a'.repeat(500)}`, { method: 'POST', token: null })).status).toBe(201);
  });

  it('are described, fields of dtos included', async () => {
    const { body } = await rig.call('/openapi.json', { token: null });
    expect(body).toMatchObject({
      components: {
        schemas: {
          ThingDto: {
            required: ['name'],
            properties: { name: { type: 'string' }, count: { type: 'integer', maximum: 10 } },
          },
          ProblemDetails: {},
        },
      },
    });
  });

  it('are counted by route, never by address', async () => {
    await rig.call('/things/0b5c1c1e-6d3f-4e2c-8b7a-0123456789ab');
    await eventually(async () => {
      const { body } = await rig.call('/metrics', { token: null });
      expect(body['text']).toContain('route="/things/:id"');
      expect(body['text']).not.toContain('0b5c1c1e');
    });
  });

  it('to a bug tell nothing of it, and its log tells where to look', async () => {
    rig.lines.length = 0;
    const answer = await rig.call('/things/broken');
    expect(answer).toMatchObject(problem(500, { code: 'internal-error' }));
    expect(JSON.stringify(answer.body)).not.toContain('a bug');
    const told = rig.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.find(({ msg }) => msg === 'request failed')).toMatchObject({
      correlationId: answer.body['correlationId'],
      err: { message: 'a bug' },
    });
  });
});
