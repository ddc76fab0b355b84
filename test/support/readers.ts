import { randomUUID } from 'node:crypto';
import { eventually } from '@castiron/testing';
import { expect } from 'vitest';
import type { Castiron } from './castiron.js';
import { mailsTo } from './mails.js';

/** Somebody who subscribed to the news, with the link to their cancellation. */
export interface Reader {
  readonly email: string;
  readonly reader: string;
  readonly link: string;
}

export async function subscribe(castiron: Castiron): Promise<Reader> {
  const email = `reader-${randomUUID()}@acorn.example`;
  const reader = await castiron.register('subscription', { email });
  const link = await eventually(
    async () => {
      const [welcome] = await mailsTo(castiron, email);
      return /https?:\/\/\S+\/cancellations\/[^\s>]+/.exec(welcome?.text ?? '')?.[0] ?? false;
    },
    { within: 60_000 },
  );
  return { email, reader, link: String(link) };
}

export async function cancel({ link }: Reader): Promise<void> {
  expect((await fetch(link, { method: 'POST' })).status).toBe(200);
}
