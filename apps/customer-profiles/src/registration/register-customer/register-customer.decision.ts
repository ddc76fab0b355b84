import { compulsoryAttributesOf, DOORS, type AttributeName, type DoorName } from '@castiron/contracts';
import { ok, refused, type Result } from '@castiron/failures';
import { decideName, decideValue, fieldOf } from '../../profiles/attribute-values.decision.js';
import type { Profile } from '../../profiles/profile.js';

export interface RegistrationFacts {
  /** The statement in effect now. */
  readonly statementVersion: number;
}

export interface RegisterCustomer {
  readonly door: DoorName;
  readonly origin: Profile['origin'];
  /** Name to value, as it came from outside. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/**
 * A registration through one door (P12): its compulsory attributes, each refused by name where missing, and what else
 * its purposes ask for (P1). Nothing is carried over from an earlier registration: there is no input it could come by.
 */
export function decideRegistration(
  facts: RegistrationFacts,
  command: RegisterCustomer,
  customer: string,
  now: Date,
): Result<Profile> {
  const values = new Map<AttributeName, string>();
  for (const [given, value] of Object.entries(command.attributes)) {
    const field = fieldOf('attributes', given);
    const name = decideName(command.door, given, field);
    if (!name.ok) return name;
    const decided = decideValue(name.value, value, field);
    if (!decided.ok) return decided;
    values.set(name.value, decided.value);
  }
  const missing = compulsoryAttributesOf(command.door).find((name) => !values.has(name));
  if (missing !== undefined) {
    return refused({
      kind: 'invalid',
      code: 'compulsory-attribute-missing',
      detail: `${missing} is compulsory for the door ${command.door}.`,
      field: `attributes.${missing}`,
      promise: 'P1',
    });
  }
  return ok({
    customer,
    version: 1,
    door: command.door,
    purposes: DOORS[command.door],
    origin: command.origin,
    statementVersion: facts.statementVersion,
    registeredAt: now,
    values,
  });
}
