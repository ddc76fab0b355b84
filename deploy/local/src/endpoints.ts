import { topicsOfRecipient } from '@castiron/contracts';
import { mintToken, type IdentityEndpoints } from './identity.js';
import type { KafkaUsers } from './kafka-users.js';
import type { MailEndpoints } from './mail.js';
import type { StackEndpoints } from './stack.js';

/** A person or service that may call, with a bearer token of 12 hours. */
export interface Person {
  readonly id: string;
  readonly token: string;
}

/** A recipient at its own side: its topics, its broker credentials and its token for HTTP. */
export interface RecipientEndpoints {
  readonly kind: string;
  readonly feed: string;
  readonly duties: string;
  readonly replies: string;
  readonly username: string;
  readonly password: string;
  readonly token: string;
}

/** Where everything is and how to get in: the content of `.castiron/endpoints.json`. The shape only grows. */
export interface Endpoints {
  readonly services: Readonly<Record<string, { readonly url: string; readonly openapi: string }>>;
  readonly kafka: { readonly bootstrap: string; readonly mechanism: 'SCRAM-SHA-512'; readonly principals: KafkaUsers };
  readonly postgres: Readonly<Record<string, string>>;
  readonly mail: MailEndpoints;
  readonly identity: IdentityEndpoints;
  readonly people: Readonly<Record<string, Person>>;
  readonly recipients: Readonly<Record<string, RecipientEndpoints>>;
}

/** Who can be had at once, as [role, subject]; `customer` and `customer2` are whom the sample has. */
const STAFF = {
  support: ['support', 'support-1'],
  'privacy-officer': ['privacy-officer', 'officer-1'],
  auditor: ['auditor', 'auditor-1'],
  service: ['service', 'portal'],
  importer: ['service', 'importer'],
} as const;

/** Tokens for the staff, two services, and whoever else is named as [role, subject]. */
export async function peopleOf(
  identity: IdentityEndpoints,
  others: Readonly<Record<string, readonly [role: string, sub: string]>> = {},
): Promise<Record<string, Person>> {
  const people = Object.entries({ ...STAFF, ...others });
  return Object.fromEntries(
    await Promise.all(
      people.map(async ([name, [role, id]]) => [name, { id, token: await mintToken(identity, role, id) }]),
    ),
  );
}

export async function recipientEndpoints(
  identity: IdentityEndpoints,
  recipient: { slug: string; kind: string; username: string; password: string },
): Promise<RecipientEndpoints> {
  const { slug, kind, username, password } = recipient;
  const { feed, duties, replies } = topicsOfRecipient(slug);
  const token = await mintToken(identity, kind === 'internal' ? 'service' : 'partner', slug);
  return { kind, feed: feed.name, duties: duties.name, replies: replies.name, username, password, token };
}

/** The part of the endpoints that is there before any recipient or customer is. */
export function endpointsOfStack(stack: StackEndpoints, urls: Readonly<Record<string, string>>) {
  const { issuer, token, minting } = stack.identity;
  return {
    services: Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, { url, openapi: `${url}/openapi` }])),
    kafka: { ...stack.kafka, mechanism: 'SCRAM-SHA-512' as const },
    postgres: stack.postgres,
    mail: stack.mail,
    identity: { issuer, token, minting },
  };
}
