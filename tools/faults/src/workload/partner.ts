import type { HttpClient } from '@castiron/local-stack';
import { PURPOSES } from '../plan/operations.js';

const OFFICER = ['privacy-officer', 'officer-1'] as const;
const WITHIN_MS = 20_000;
const DAY_MS = 86_400_000;

/** A partner with an agreement in force, for whom the customers of one run may permit things. @returns the agreement */
export async function registerPartner(client: HttpClient, slug: string): Promise<string> {
  const must = (path: string, body: unknown, as: readonly [string, string] = OFFICER) =>
    client.must('partner-sharing', 'POST', path, { as, body, within: WITHIN_MS });
  await must('/recipients', { slug, name: `Partner ${slug}`, kind: 'third-party' });
  await client.must('partner-sharing', 'POST', `/recipients/${slug}/credentials`, { as: OFFICER, within: WITHIN_MS });
  const now = Date.now();
  const { body } = await must('/agreements', {
    recipient: slug,
    terms: {
      purposes: Object.entries(PURPOSES).map(([purpose, attributes]) => ({
        purpose,
        attributes,
        ground: 'permission',
      })),
      highestTier: 'confidential',
      from: new Date(now - DAY_MS).toISOString(),
      until: new Date(now + 365 * DAY_MS).toISOString(),
    },
  });
  const agreement = String(body['agreement']);
  const signatures = `/agreements/${agreement}/signatures`;
  await must(signatures, { side: 'company', name: 'Signer', role: 'Officer' });
  await must(signatures, { side: 'partner', name: 'Signer', role: 'Director' }, ['partner', slug]);
  return agreement;
}
