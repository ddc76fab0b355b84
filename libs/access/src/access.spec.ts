import { describe, expect, it } from 'vitest';
import { isPublicRoute, mustBe, PUBLIC_ROUTES, type Caller, type Role } from './index.js';
import { rolesAdmitted } from './roles.js';

describe('the list of public routes', () => {
  it('is closed', () => {
    expect(PUBLIC_ROUTES).toEqual([
      'GET /health/live',
      'GET /health/ready',
      'GET /metrics',
      'GET /openapi.json',
      'GET /openapi',
      'GET /openapi/*',
      'GET /cancellations/:token',
      'POST /cancellations/:token',
      'GET /ledger/checkpoint',
      'GET /ledger/verifier-key',
      'GET /ledger/tile/*',
    ]);
    expect(Object.isFrozen(PUBLIC_ROUTES)).toBe(true);
  });

  it('covers the files of the OpenAPI page and nothing that only begins alike', () => {
    expect(isPublicRoute('GET', '/openapi/swagger-ui.css')).toBe(true);
    expect(isPublicRoute('HEAD', '/health/live')).toBe(true);
    expect(isPublicRoute('POST', '/openapi/x')).toBe(false);
    expect(isPublicRoute('GET', '/openapi-secrets')).toBe(false);
    expect(isPublicRoute('GET', '/customers/:id')).toBe(false);
  });
});

describe('a customer', () => {
  const caller = (role: Role, sub = 'someone') => ({ sub, roles: [role] });

  it('reaches their own data', () => {
    expect(() => mustBe(caller('customer', 'c1'), 'c1')).not.toThrow();
  });

  it("does not reach another's, and no partner reaches any", () => {
    const refusal = expect.objectContaining({
      refusal: expect.objectContaining({ kind: 'forbidden', code: 'not-your-data' }) as unknown,
    }) as unknown;
    expect(() => mustBe(caller('customer', 'c2'), 'c1')).toThrow(refusal);
    // A partner whose slug happened to be the customer's id is still no customer.
    expect(() => mustBe(caller('partner', 'c1'), 'c1')).toThrow(refusal);
  });

  it.each(['support', 'privacy-officer', 'auditor', 'service'] as const)(
    'is reached by %s where the route lets them',
    (role) => {
      expect(() => mustBe(caller(role), 'c1')).not.toThrow();
    },
  );
});

describe('a route that names its services', () => {
  const admission = { roles: ['customer', 'service'], services: ['portal'] } as const;
  const by = (...[sub, ...roles]: readonly [string, ...Role[]]): Caller => ({ sub, roles });

  it('admits these and no other service, whatever other people the route admits', () => {
    expect(rolesAdmitted(admission, by('portal', 'service'))).toEqual(['service']);
    expect(rolesAdmitted(admission, by('recommendations', 'service'))).toEqual([]);
    expect(rolesAdmitted(admission, by('c1', 'customer'))).toEqual(['customer']);
    expect(rolesAdmitted({ roles: ['service'], services: [] }, by('portal', 'service'))).toEqual([]);
  });

  it('gives nobody a role by their name alone, nor a second role that the route does not declare', () => {
    expect(rolesAdmitted(admission, by('portal', 'partner', 'support'))).toEqual([]);
    // Else a service that is a customer too would reach every customer.
    expect(rolesAdmitted(admission, by('recommendations', 'customer', 'service', 'auditor'))).toEqual(['customer']);
  });
});
