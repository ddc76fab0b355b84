import { PURPOSE_NAMES, PURPOSES } from '@castiron/contracts';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clauses, POLICY } from './clauses.js';
import { aQuestion } from './question.example.js';

const files = readdirSync(new URL('clauses/', import.meta.url)).sort();

describe('the policy is what the listing of its folder says', () => {
  it('has every clause of the folder, under the name of its file, and a spec beside each', () => {
    const expected = clauses.flatMap(({ name }) => [`${name}.clause.ts`, `${name}.clause.spec.ts`]).sort();
    expect(files).toEqual(expected);
  });

  it.each(clauses.map((clause) => [clause.name, clause] as const))(
    '%s bears the number of its promise',
    (name, clause) => {
      expect(name.startsWith(`p${clause.promise.slice(1).padStart(2, '0')}-`)).toBe(true);
      expect(clause.says).toMatch(/^[A-Z].*\.$/);
    },
  );

  it('lets no ground but the permission carry a purpose that needs one', () => {
    for (const purpose of PURPOSE_NAMES.filter((name) => PURPOSES[name].permissionOnly)) {
      for (const rule of POLICY.grounds.filter(({ ground }) => ground !== 'permission')) {
        const refusing = rule.clauses.filter(
          (clause) => /^p(02|16)-/.test(clause.name) && clause.refusal(aQuestion({ purpose })),
        );
        expect(refusing, `${rule.ground} for ${purpose}`).toHaveLength(1);
      }
    }
  });
});
