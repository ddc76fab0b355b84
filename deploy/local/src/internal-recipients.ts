import type { RecipientEndpoints } from './endpoints.js';
import { recipientEndpoints } from './endpoints.js';
import type { HttpClient } from './http-client.js';
import type { StackEndpoints } from './stack.js';
import type { INTERNAL_RECIPIENTS } from './principals.js';

type Slug = (typeof INTERNAL_RECIPIENTS)[number];

/** What each recipient inside the house may use, per purpose: nothing reaches it for any other (P8). */
const REGISTRATIONS: Readonly<
  Record<Slug, { name: string; purposes: readonly { purpose: string; attributes: readonly string[] }[] }>
> = {
  notifications: {
    name: 'Notifications',
    purposes: [
      { purpose: 'notices', attributes: ['email', 'contactName', 'companyName'] },
      { purpose: 'mailing', attributes: ['email', 'contactName', 'companyName'] },
    ],
  },
  recommendations: {
    name: 'Recommendations',
    purposes: [{ purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'] }],
  },
};

const CONFLICT = 409;

/** Registers the recipients inside the house where they are not yet, and says how each gets in. */
export async function registerInternalRecipients(
  stack: StackEndpoints,
  client: HttpClient,
): Promise<Record<string, RecipientEndpoints>> {
  const recipients: Record<string, RecipientEndpoints> = {};
  for (const [slug, { name, purposes }] of Object.entries(REGISTRATIONS)) {
    await client.must('partner-sharing', 'POST', '/recipients', {
      as: ['privacy-officer', 'officer-1'],
      body: { slug, name, kind: 'internal', purposes },
      except: [CONFLICT],
    });
    const { username, password } = stack.kafka.principals[slug] ?? { username: '', password: '' };
    recipients[slug] = await recipientEndpoints(stack.identity, { slug, kind: 'internal', username, password });
  }
  return recipients;
}
