import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Client } from 'pg';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { connect, readAll } from '@castiron/kafka';
import { mintToken } from './identity.js';

const { kafka, postgres, identity, mail } = inject('stack');
const as = (name: string) =>
  connect({
    brokers: [kafka.bootstrap],
    clientId: 'spec',
    username: name,
    password: kafka.principals[name]?.password ?? '',
  });
const keys = createRemoteJWKSet(new URL(`${identity.issuer}/jwks`));
const verify = async (token: string) =>
  (await jwtVerify(token, keys, { issuer: identity.issuer, audience: 'castiron', algorithms: ['RS256'] })).payload;

describe('the identity provider', () => {
  it('gives services their own tokens for their own secrets', async () => {
    const client = identity.clients['partner-sharing'];
    const response = await fetch(identity.token, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client?.id}:${client?.secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    expect(await verify(token)).toMatchObject({ sub: 'partner-sharing', roles: ['service'] });
  });

  it('mints tokens for any role and subject for who holds the local secret, and for nobody else', async () => {
    expect(await verify(await mintToken(identity, 'auditor', 'someone', 60))).toMatchObject({
      sub: 'someone',
      roles: ['auditor'],
    });
    const guess = { ...identity, minting: { ...identity.minting, secret: 'guessed' } };
    await expect(mintToken(guess, 'auditor', 'someone')).rejects.toThrow('no token');
    const service = identity.clients['notifications'] ?? identity.minting;
    await expect(mintToken({ ...identity, minting: service }, 'auditor', 'someone')).rejects.toThrow('no token');
  });
});

describe('PostgreSQL', () => {
  it('keeps each service to its own database', async () => {
    const url = new URL(postgres.notifications);
    url.pathname = '/partner-sharing';
    const intruder = new Client({ connectionString: url.href });
    await expect(intruder.connect()).rejects.toThrow('permission denied for database');
  });
});

describe('Kafka', () => {
  it('denies a principal what no rule gives it', async () => {
    const consumer = as('notifications');
    await expect(consumer.admin().endOffsets('customers.profiles.v1')).rejects.toThrow(/authori[sz]/i);
    await expect(
      as('recommendations')
        .producer()
        .send([{ topic: 'sharing.lanes.v2', key: 'k', value: '{}', headers: {} }]),
    ).rejects.toThrow(/authori[sz]/i);
  });

  it('lets a service name the producers of its own outbox, and of no other', async () => {
    const [own, other] = ['notifications', 'partner-sharing'].map((service) =>
      as('notifications').fencedProducer(`${service}.outbox.0`),
    );
    await own?.open();
    await own?.close();
    await expect(other?.open()).rejects.toThrow('Transactional Id authorization failed');
  });

  it('tells the time of what comes itself, on a topic too that says nothing of it', async () => {
    const admin = as('admin').admin();
    const producer = as('admin').producer();
    const topic = { name: `spec.${randomUUID()}.v1`, kind: 'events', partitions: 1, config: {} } as const;
    await admin.createTopics([topic]);
    const now = Date.now.bind(Date);
    const late = vi.spyOn(Date, 'now').mockImplementation(() => now() - 3_600_000);
    onTestFinished(() => late.mockRestore());
    await producer.send([{ topic: topic.name, key: 'k', value: '{}', headers: {} }]);
    late.mockRestore();
    for await (const { timestamp } of readAll(as('admin'), topic.name))
      expect(Math.abs(timestamp.getTime() - now())).toBeLessThan(60_000);
    expect.assertions(1);
    await Promise.all([admin.close(), producer.close()]);
  });

  it('creates no topic by use', async () => {
    await expect(
      as('admin')
        .producer()
        .send([{ topic: 'nobody.declared.v1', key: 'k', value: '{}', headers: {} }]),
    ).rejects.toThrow();
  });
});

describe('the mail sink', () => {
  it('shows its mail as JSON', async () => {
    expect(await (await fetch(mail.api)).json()).toBeInstanceOf(Object);
  });
});
