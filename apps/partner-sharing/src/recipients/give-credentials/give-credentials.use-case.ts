import { randomBytes } from 'node:crypto';
import { Refused } from '@castiron/failures';
import type { DataSource } from 'typeorm';
import { brokerUnavailable, type Provisioning } from '../provisioning.js';
import { assertProvisioned, recipientOf } from '../recipient.table.js';
import { HOUSE_PRINCIPALS } from '../register-recipient/register-recipient.decision.js';

export interface Credentials {
  readonly username: string;
  /** Shown once: nothing of ours keeps it. */
  readonly password: string;
}

const PASSWORD_BYTES = 32;

/** Gives a recipient a new password on the broker; a former one ends. */
export class GiveCredentialsUseCase {
  constructor(
    private readonly dataSource: DataSource,
    private readonly provisioning: Provisioning,
  ) {}

  /** @throws Refused not-found; conflict for principals of the house; unavailable where the broker is away */
  async give(slug: string): Promise<Credentials> {
    const recipient = await recipientOf(this.dataSource.manager, slug);
    if (HOUSE_PRINCIPALS.has(slug)) {
      const detail = 'Whoever deploys this service gives it its credentials.';
      throw new Refused({ kind: 'conflict', code: 'house-principal', detail, field: 'slug', promise: 'P8' });
    }
    // Without its rules a principal could only be turned away.
    assertProvisioned(recipient, 'slug');
    const password = randomBytes(PASSWORD_BYTES).toString('base64url');
    await this.provisioning.admit(slug, password).catch((error: unknown) => {
      throw brokerUnavailable('The broker could not be reached. Ask again.', error);
    });
    return { username: slug, password };
  }
}
