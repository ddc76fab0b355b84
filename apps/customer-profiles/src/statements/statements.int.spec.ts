import { randomUUID } from 'node:crypto';
import { mintToken } from '@castiron/local-stack';
import { freshDatabase } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { keyStoreMigrations } from '../migrations.js';
import { loadStatements } from './load-statements/load-statements.use-case.js';
import { parseStatement } from './load-statements/statement-file.js';
import { databaseMigrations, ProfilesRig, statement } from '../testing/profiles.rig.js';

let rig: ProfilesRig;
beforeAll(async () => {
  const { identity } = inject('stack');
  rig = await ProfilesRig.start({
    database: await freshDatabase(databaseMigrations),
    keyStore: await freshDatabase(keyStoreMigrations),
    oidcIssuer: identity.issuer,
    tokenOf: (role, sub) => mintToken(identity, role, sub),
  });
});
afterAll(() => rig.stop());

describe('the catalogue and the statement', () => {
  it('can be read by everyone with a token', async () => {
    const catalogue = await rig.call({ path: '/catalogue', as: ['customer', randomUUID()] });
    expect(catalogue.body.purposes.invoicing.compulsory).toEqual(['companyName', 'servicesUsed', 'registeredAddress']);
    for (const version of ['1', 'current']) {
      const { body } = await rig.call({ path: `/statements/${version}`, as: ['partner', 'northern-hosting'] });
      expect(body).toEqual({
        version: 1,
        effectiveFrom: '2026-01-01T00:00:00.000Z',
        sha256: statement.sha256,
        text: statement.text,
      });
    }
    expect((await rig.call({ path: '/statements/2' })).status).toBe(404);
    expect((await rig.call({ path: '/statements/x' })).status).toBe(404);
  });

  it('is published once, and never under its number with another text (P17)', async () => {
    await loadStatements(rig.transactions, [statement]);
    expect(await rig.published('customers.statements.v1', '1')).toEqual([
      { version: 1, effectiveFrom: '2026-01-01T00:00:00.000Z', sha256: statement.sha256 },
    ]);
    await expect(
      loadStatements(rig.transactions, [parseStatement(1, 'Other.\nEffective from: 2026-01-01\n')]),
    ).rejects.toThrow(/new version/);
  });
});
