import type { AttributeName, DataOf, profileChanged } from '@castiron/contracts';
import type { SealedProfile, SealedValue } from '../profiles/profile.js';

export type LostProfile = DataOf<typeof profileChanged>;

/**
 * The profile that comes of what is here and what a lost life of the database told last; undefined where nothing changes.
 * What was withdrawn in either life is gone; of what was given in both, what was given since the restore counts. Pure.
 *
 * @param told versions that were told of this profile, by either life, from the first that was lost on: the backup is older
 */
export function recoverProfile(
  known: SealedProfile | undefined,
  lost: LostProfile,
  told: readonly number[],
): SealedProfile | undefined {
  const theirs = valuesOf(lost);
  const version = Math.max(lost.version, known?.version ?? 0, ...told) + 1;
  if (known === undefined) return { ...lost, registeredAt: new Date(lost.registeredAt), attributes: theirs, version };
  const backup = Math.min(lost.version, ...told) - 1;
  const attributes = new Map<AttributeName, SealedValue>();
  for (const name of new Set([...known.attributes.keys(), ...theirs.keys()])) {
    const [here, there] = [known.attributes.get(name), theirs.get(name)];
    const value = [here, there].find((one) => one !== undefined && one.version > backup) ?? (here && there);
    if (value !== undefined) attributes.set(name, value);
  }
  return known.version > lost.version && isSame(attributes, known.attributes)
    ? undefined
    : { ...known, version, attributes };
}

const valuesOf = ({ attributes }: LostProfile): ReadonlyMap<AttributeName, SealedValue> =>
  new Map(
    Object.entries(attributes).map(([name, { version, sealed }]) => [
      name as AttributeName,
      { version, sealed: Buffer.from(sealed, 'base64') },
    ]),
  );

const isSame = (a: SealedProfile['attributes'], b: SealedProfile['attributes']): boolean =>
  a.size === b.size && [...a].every(([name, { sealed }]) => b.get(name)?.sealed.equals(sealed) === true);
