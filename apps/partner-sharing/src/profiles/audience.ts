import type { PurposeName } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';

/** A recipient that may get customers without their being asked, and for which of their purposes. */
export interface StandingRecipient {
  readonly slug: string;
  readonly purposes: ReadonlySet<PurposeName>;
}

/** Internal recipients, and partners whose agreement in force lists cooperation. All else waits for a permission. */
export async function standingRecipients(manager: EntityManager, slug?: string): Promise<readonly StandingRecipient[]> {
  const rows: { slug: string; purposes: PurposeName[] }[] = await manager.query(
    `SELECT slug, (SELECT coalesce(jsonb_agg(p->>'purpose'), '[]') FROM jsonb_array_elements(purposes) p) AS purposes
       FROM recipients WHERE kind = 'internal' AND ($1::text IS NULL OR slug = $1)
     UNION ALL
     SELECT recipient, (SELECT coalesce(jsonb_agg(p->>'purpose'), '[]') FROM jsonb_array_elements(purposes) p WHERE p->>'ground' = 'cooperation')
       FROM agreements WHERE state = 'in-force' AND ($1::text IS NULL OR recipient = $1)`,
    [slug ?? null],
  );
  return rows
    .map(({ slug: of, purposes }) => ({ slug: of, purposes: new Set(purposes) }))
    .filter(({ purposes }) => purposes.size > 0);
}

/** Whether a customer who came for these purposes gets a share with this recipient. A share alone discloses nothing. */
export function concerns(
  { purposes }: StandingRecipient,
  customer: { readonly purposes: readonly PurposeName[] },
): boolean {
  return customer.purposes.some((purpose) => purposes.has(purpose));
}
