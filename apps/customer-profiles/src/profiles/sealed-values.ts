import type { AttributeName } from '@castiron/contracts';
import { attributeAad, open, seal } from '@castiron/encryption';
import type { SealedProfile, SealedValue } from './profile.js';

/** Seals values given at this version of the profile. */
export function sealValues(
  dataKey: Buffer,
  customer: string,
  version: number,
  values: ReadonlyMap<AttributeName, string>,
): Map<AttributeName, SealedValue> {
  return new Map(
    [...values].map(([name, value]) => [
      name,
      { version, sealed: seal(dataKey, value, attributeAad(customer, name, version)) },
    ]),
  );
}

/** @throws Error where a value was tampered with or moved. */
export function openValues(dataKey: Buffer, profile: SealedProfile): Map<AttributeName, string> {
  return new Map(
    [...profile.attributes].map(([name, { version, sealed }]) => [
      name,
      open(dataKey, sealed, attributeAad(profile.customer, name, version)).toString(),
    ]),
  );
}
