/** What a person typed cannot be done; the message says what to type instead. */
export class CannotImport extends Error {
  override readonly name = 'CannotImport';
}

/** Splits at commas outside double quotes and takes the quotes away, so that a column's name may hold a comma. */
function splitList(text: string): string[] {
  const parts = text.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
  return parts.map((part) => part.replaceAll('"', '').trim()).filter((part) => part !== '');
}

function assignment(text: string, option: string): [string, string] {
  const [, name, value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined || name.trim() === '') {
    throw new CannotImport(
      `${option} needs attribute=${option === '--map' ? 'column' : 'value'}, but "${text}" is not of that form`,
    );
  }
  return [name.trim(), value];
}

function unique(entries: readonly [string, string][], option: string): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of entries) {
    if (map.has(name)) throw new CannotImport(`${option} names the attribute "${name}" twice`);
    map.set(name, value);
  }
  return map;
}

/** `--map companyName=Name,email="E-mail, main"`, given once or many times: attribute -> column. */
export function parseMap(values: readonly string[]): ReadonlyMap<string, string> {
  return unique(
    values.flatMap(splitList).map((part) => {
      const [name, column] = assignment(part, '--map');
      return [name, column.trim()];
    }),
    '--map',
  );
}

/** `--set servicesUsed="web, mail"`: one constant each time, since a constant may hold commas. */
export function parseSet(values: readonly string[]): ReadonlyMap<string, string> {
  return unique(
    values.map((value) => assignment(value, '--set')),
    '--set',
  );
}
