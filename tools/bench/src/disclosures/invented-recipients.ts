import { feeds } from '@castiron/contracts';
import type { Castiron } from '@castiron/local-stack';
import type { Bench } from '../spine/bench.js';
import { bareClient } from '../spine/bare-client.js';
import { PURPOSES } from './invented-customers.js';

const OFFICER = ['privacy-officer', 'officer-1'] as const;
const DAY_MS = 86_400_000;

async function join(castiron: Castiron, slug: string): Promise<void> {
  const must = (path: string, body: unknown, as: readonly [string, string] = OFFICER) =>
    castiron.client.must('partner-sharing', 'POST', path, { as, body });
  await must('/recipients', { slug, name: `Recipient ${slug}`, kind: 'third-party' });
  const now = Date.now();
  const terms = {
    purposes: PURPOSES,
    highestTier: 'confidential',
    from: new Date(now - DAY_MS).toISOString(),
    until: new Date(now + 365 * DAY_MS).toISOString(),
  };
  const { agreement } = (await must('/agreements', { recipient: slug, terms })).body;
  const sign = (side: string, as: readonly [string, string]) =>
    must(`/agreements/${String(agreement)}/signatures`, { side, name: `Signer of the ${side}`, role: 'Director' }, as);
  await sign('company', OFFICER);
  await sign('partner', ['partner', slug]);
}

/**
 * Registers recipients, each with an agreement in force, through the routes. Their feeds are uncompressed, as all topics are
 * that a ratio is taken of: where the broker compresses, both sides wait for it.
 */
export async function inventRecipients(
  bench: Bench,
  castiron: Castiron,
  name: string,
  count: number,
): Promise<readonly string[]> {
  const slugs = Array.from({ length: count }, (_, n) => `${name}-${n}`);
  for (const slug of slugs) await join(castiron, slug);
  const admin = bareClient(bench.kafka).admin();
  await admin.connect();
  await admin.alterConfigs({
    validateOnly: false,
    resources: slugs.map((slug) => {
      const { name, config } = feeds.of(slug);
      const entries = Object.entries({ ...config, 'compression.type': 'uncompressed' });
      // Topics, by kafkajs's number.
      return { type: 2, name, configEntries: entries.map(([key, value]) => ({ name: key, value })) };
    }),
  });
  await admin.disconnect();
  return slugs;
}
