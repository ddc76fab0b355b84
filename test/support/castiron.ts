import { FEED_TICK_TYPE, topicsOfRecipient, typeOf, type DataOf, type feedRecord } from '@castiron/contracts';
import { connect, readAll, type Kafka } from '@castiron/kafka';
import { mintToken, type Endpoints } from '@castiron/local-stack';
import { eventually, uniqueSlug } from '@castiron/testing';
import { expect, inject } from 'vitest';

export type FeedRecord = DataOf<typeof feedRecord>;

/** One record or tombstone as it stands on a feed, in the order of its partition. */
export interface FeedMessage {
  readonly subject: string;
  readonly offset: bigint;
  readonly partition: number;
  readonly record: FeedRecord | null;
  readonly ledgerEntry: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

interface Terms {
  purpose: string;
  attributes: readonly string[];
  ground?: 'permission' | 'cooperation';
}

export const COMPANY = {
  companyName: 'Acorn Hosting Ltd',
  registeredAddress: '1 Oak Street\nSpringfield',
  servicesUsed: 'dedicated server',
} as const;

const DAY_MS = 86_400_000;

/** The running system, used as its users use it: over HTTP and over Kafka with each one's own credentials. */
export class Castiron {
  constructor(readonly endpoints: Endpoints = inject('castiron')) {}

  async call(
    service: string,
    method: string,
    path: string,
    options: { as: readonly [role: string, sub: string]; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer> {
    const token = await mintToken(this.endpoints.identity, options.as[0], options.as[1]);
    const response = await fetch(`${this.endpoints.services[service]?.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
  }

  /** What a route answers that gives text. */
  async text(
    service: string,
    path: string,
    [role, sub]: readonly [role: string, sub: string],
  ): Promise<{ status: number; text: string }> {
    const token = await mintToken(this.endpoints.identity, role, sub);
    const response = await fetch(`${this.endpoints.services[service]?.url}${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: response.status, text: await response.text() };
  }

  /** @param idempotencyKey makes it safe to send again where no answer came */
  async register(door: string, attributes: Record<string, string>, idempotencyKey?: string): Promise<string> {
    const answer = await this.call('customer-profiles', 'POST', `/registrations/${door}`, {
      as: ['service', 'portal'],
      body: { attributes },
      ...(idempotencyKey !== undefined && { headers: { 'idempotency-key': idempotencyKey } }),
    });
    expect(answer).toMatchObject({ status: 201 });
    return String(answer.body['customer']);
  }

  registerCompany(attributes: Record<string, string> = {}): Promise<string> {
    return this.register('service-order', { ...COMPANY, ...attributes });
  }

  async registerPartner(kind = 'third-party'): Promise<Partner> {
    const slug = uniqueSlug();
    const as = ['privacy-officer', 'officer'] as const;
    const body = { slug, name: `Partner ${slug}`, kind };
    expect(await this.call('partner-sharing', 'POST', '/recipients', { as, body })).toMatchObject({ status: 201 });
    const answer = await this.call('partner-sharing', 'POST', `/recipients/${slug}/credentials`, { as });
    expect(answer.status).toBe(201);
    const { username, password } = answer.body as { username: string; password: string };
    return new Partner(this, slug, username, password);
  }

  async draft(
    partner: Partner,
    purposes: readonly Terms[],
    highestTier = 'confidential',
    until = new Date(Date.now() + 365 * DAY_MS),
  ) {
    return this.call('partner-sharing', 'POST', '/agreements', {
      as: ['privacy-officer', 'officer'],
      body: {
        recipient: partner.slug,
        terms: {
          purposes: purposes.map((terms) => ({ ground: 'permission', ...terms })),
          highestTier,
          from: new Date(Date.now() - DAY_MS).toISOString(),
          until: until.toISOString(),
        },
      },
    });
  }

  /** An agreement that both sides have signed. */
  async agree(partner: Partner, purposes: readonly Terms[], highestTier?: string): Promise<string> {
    const drafted = await this.draft(partner, purposes, highestTier);
    expect(drafted).toMatchObject({ status: 201 });
    const agreement = String(drafted.body['agreement']);
    for (const [side, as] of [
      ['company', ['privacy-officer', 'officer']],
      ['partner', ['partner', partner.slug]],
    ] as const) {
      const signed = await this.call('partner-sharing', 'POST', `/agreements/${agreement}/signatures`, {
        as,
        body: { side, name: 'A Signer', role: 'Director' },
      });
      expect(signed.status, JSON.stringify(signed.body)).toBeLessThan(300);
    }
    return agreement;
  }

  grant(customer: string, recipient: string, purpose: string): Promise<Answer> {
    return this.call('partner-sharing', 'PUT', `/customers/${customer}/permissions/${recipient}/${purpose}`, {
      as: ['customer', customer],
      body: { how: 'portal', givenAt: new Date().toISOString(), statementVersion: 1 },
    });
  }

  /** Waits until the profile has arrived, since a customer nobody knows cannot permit anything. */
  async permit(customer: string, recipient: string, purpose: string): Promise<void> {
    await eventually(async () => expect((await this.grant(customer, recipient, purpose)).status).toBeLessThan(300));
  }

  async revoke(customer: string, recipient: string, purpose: string): Promise<void> {
    const path = `/customers/${customer}/permissions/${recipient}/${purpose}`;
    const answer = await this.call('partner-sharing', 'DELETE', path, { as: ['customer', customer] });
    expect(answer).toMatchObject({ status: 200 });
  }

  async etagOf(customer: string): Promise<string> {
    const answer = await this.call('customer-profiles', 'GET', `/customers/${customer}`, {
      as: ['customer', customer],
    });
    expect(answer.status).toBe(200);
    return answer.headers.get('etag') ?? '';
  }

  async change(customer: string, attributes: Record<string, string | null>): Promise<void> {
    const answer = await this.call('customer-profiles', 'PATCH', `/customers/${customer}/attributes`, {
      as: ['customer', customer],
      body: attributes,
      headers: { 'if-match': await this.etagOf(customer) },
    });
    const withdraws = Object.values(attributes).includes(null);
    expect(answer).toMatchObject({ status: withdraws ? 202 : 200 });
  }

  async explain(customer: string, recipient: string, attribute: string): Promise<Record<string, unknown>> {
    const answer = await this.call(
      'partner-sharing',
      'GET',
      `/customers/${customer}/explain?recipient=${recipient}&attribute=${attribute}`,
      { as: ['customer', customer] },
    );
    expect(answer).toMatchObject({ status: 200 });
    return answer.body;
  }

  /** Waits until the customer's profile has arrived and nothing about the customer is still on its way to this feed. */
  async settled(customer: string, recipient: string): Promise<void> {
    const path = `/customers/${customer}/explain?recipient=${recipient}&attribute=companyName`;
    await eventually(async () => {
      const answer = await this.call('partner-sharing', 'GET', path, { as: ['customer', customer] });
      expect(answer).toMatchObject({ status: 200, body: { feed: { pending: false } } });
    });
  }

  kafka(principal: { username: string; password: string }): Kafka {
    return connect({ brokers: [this.endpoints.kafka.bootstrap], clientId: 'test', ...principal });
  }
}

/** A partner at its own side of the broker. */
export class Partner {
  constructor(
    private readonly castiron: Castiron,
    readonly slug: string,
    readonly username: string,
    readonly password: string,
  ) {}

  /** Reads a feed from its beginning to the end it has now, as this partner. */
  async read(
    topic = topicsOfRecipient(this.slug).feed.name,
    groupId = `${this.slug}.${uniqueSlug()}`,
  ): Promise<FeedMessage[]> {
    const kafka = this.castiron.kafka(this);
    const messages: FeedMessage[] = [];
    for await (const message of readAll(kafka, topic, { groupId })) {
      if (typeOf(message) === FEED_TICK_TYPE) continue;
      const value = message.value?.toString();
      messages.push({
        subject: message.key?.toString() ?? '',
        offset: BigInt(message.offset),
        partition: message.partition,
        record: value === undefined ? null : (JSON.parse(value) as FeedRecord),
        ledgerEntry: message.headers['ce_ledgerentry']?.toString(),
      });
    }
    return messages;
  }

  /** The feed once it satisfies the check; fails with the check's own words when it never does. */
  async readUntil(check: (messages: FeedMessage[]) => void): Promise<FeedMessage[]> {
    let messages: FeedMessage[] = [];
    await eventually(
      async () => {
        messages = await this.read();
        check(messages);
      },
      { within: 30_000 },
    );
    return messages;
  }
}

/** What a record lets its reader hold: attribute -> value. */
export function valuesOf(message: FeedMessage | undefined): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(message?.record?.attributes ?? {}).map(([name, { value }]) => [name, value]),
  );
}
