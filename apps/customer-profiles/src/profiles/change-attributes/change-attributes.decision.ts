import { compulsoryAttributesOf, type AttributeName } from '@castiron/contracts';
import { ok, refused, type Result } from '@castiron/failures';
import { decideName, decideValue, fieldOf } from '../attribute-values.decision.js';
import type { Profile } from '../profile.js';

/** What will differ. Both empty: nothing changes, no version is used up and nobody is told. */
export interface AttributeChange {
  readonly set: ReadonlyMap<AttributeName, string>;
  readonly withdrawn: ReadonlySet<AttributeName>;
}

/** Voluntary attributes may be changed, added and withdrawn any time; compulsory ones changed, never withdrawn (P1). */
export function decideChange(
  profile: Profile,
  /** Name to new value; null withdraws. */
  changes: Readonly<Record<string, unknown>>,
): Result<AttributeChange> {
  const set = new Map<AttributeName, string>();
  const withdrawn = new Set<AttributeName>();
  const compulsory = compulsoryAttributesOf(profile.door);
  for (const [given, value] of Object.entries(changes)) {
    const field = fieldOf('', given);
    const named = decideName(profile.door, given, field);
    if (!named.ok) return named;
    const name = named.value;
    if (value === null) {
      if (compulsory.includes(name)) {
        return refused({
          kind: 'unprocessable',
          code: 'compulsory-attribute-withdrawn',
          detail: `${name} is compulsory for the door ${profile.door}: it can be changed, not withdrawn.`,
          field,
          promise: 'P1',
        });
      }
      if (profile.values.has(name)) withdrawn.add(name);
      continue;
    }
    const decided = decideValue(name, value, field);
    if (!decided.ok) return decided;
    if (profile.values.get(name) !== decided.value) set.set(name, decided.value);
  }
  return ok({ set, withdrawn });
}
