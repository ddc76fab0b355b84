import { randomBytes } from 'node:crypto';
import { Refused } from '@castiron/failures';
import type { DataSource } from 'typeorm';
import type { Provisioning } from '../provisioning.js';
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

  async give(slug: string): Promise<Credentials> {
    await recipientOf(this.dataSource.manager, slug);
    if (HOUSE_PRINCIPALS.has(slug)) {
      throw new Refused({ kind: 'conflict', code: 'house-principal', detail: 'Whoever deploys this service gives it its credentials.' });
    }
    const password = randomBytes(PASSWORD_BYTES).toString('base64url');
    try {
      await this.provisioning.prepare(slug);
      await this.provisioning.admit(slug, password);
    } catch (error) {
      throw Object.assign(
        new Refused({ kind: 'unavailable', code: 'broker-unavailable', detail: 'The broker could not be reached. Ask again.' }),
        { cause: error },
      );
    }
    return { username: slug, password };
  }
}
