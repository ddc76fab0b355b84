import { randomBytes } from 'node:crypto';
import { Refused } from '@castiron/failures';
import type { DataSource } from 'typeorm';
import { brokerUnavailable, type Provisioning } from '../provisioning.js';
import { recipientOf } from '../recipient.table.js';
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
    const { provisioned } = await recipientOf(this.dataSource.manager, slug);
    const conflict = (code: string, detail: string): Refused =>
      new Refused({ kind: 'conflict', code, detail, field: 'slug', promise: 'P8' });
    if (HOUSE_PRINCIPALS.has(slug))
      throw conflict('house-principal', 'Whoever deploys this service gives it its credentials.');
    // Without its rules a principal could only be turned away.
    if (!provisioned)
      throw conflict('recipient-not-provisioned', 'Its place on the broker is not ready: register it again.');
    const password = randomBytes(PASSWORD_BYTES).toString('base64url');
    await this.provisioning.admit(slug, password).catch((error: unknown) => {
      throw brokerUnavailable('The broker could not be reached. Ask again.', error);
    });
    return { username: slug, password };
  }
}
