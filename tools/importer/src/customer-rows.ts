import {
  attributesOfDoor,
  compulsoryAttributesOf,
  DOOR_NAMES,
  isAttribute,
  isDoor,
  type AttributeName,
  type DoorName,
} from '@castiron/contracts';
import { CannotImport } from './assignments.js';

export interface CustomerRow {
  readonly key: string;
  readonly attributes: Readonly<Partial<Record<AttributeName, string>>>;
}

export interface CustomerMapping {
  readonly door: DoorName;
  readonly rowOf: (cells: readonly string[]) => CustomerRow | { readonly problem: string };
}

/** Where a column stands; a name that is missing or stands twice is an error that lists the columns there are. */
export function columnOf(header: readonly string[], name: string, option: string): number {
  const position = header.indexOf(name);
  if (position === -1) {
    throw new CannotImport(
      `${option}: the file has no column "${name}". Its columns: ${header.map((column) => `"${column}"`).join(', ')}`,
    );
  }
  if (header.includes(name, position + 1)) throw new CannotImport(`${option}: the file has two columns "${name}"`);
  return position;
}

function doorOf(name: string): DoorName {
  if (isDoor(name)) return name;
  throw new CannotImport(`--door: there is no door "${name}". Doors: ${DOOR_NAMES.join(', ')}`);
}

function attributeOf(name: string, door: DoorName, option: string): AttributeName {
  const known = attributesOfDoor(door);
  if (isAttribute(name) && known.includes(name)) return name;
  const why = isAttribute(name)
    ? `no purpose of the door ${door} uses "${name}" (P12)`
    : `there is no attribute "${name}"`;
  throw new CannotImport(`${option}: ${why}. Attributes of ${door}: ${known.join(', ')}`);
}

/**
 * Checks the options against the file's header and the catalogue before any row is sent, and gives the function
 * that makes a row. An empty cell is an attribute not given.
 */
export function customerMapping(
  header: readonly string[],
  options: { key: string; door: string; map: ReadonlyMap<string, string>; set: ReadonlyMap<string, string> },
): CustomerMapping {
  const door = doorOf(options.door);
  const keyColumn = columnOf(header, options.key, '--key');
  const columns = [...options.map].map(
    ([name, column]) => [attributeOf(name, door, '--map'), columnOf(header, column, '--map')] as const,
  );
  const constants = [...options.set].map(([name, value]) => [attributeOf(name, door, '--set'), value] as const);
  const both = constants.find(([name]) => options.map.has(name));
  if (both !== undefined) throw new CannotImport(`"${both[0]}" stands in --map and in --set; give one of them`);
  const given = new Set([...options.map.keys(), ...options.set.keys()]);
  const missing = compulsoryAttributesOf(door).filter((name) => !given.has(name));
  if (missing.length > 0) {
    throw new CannotImport(
      `${missing.join(', ')}: compulsory at the door ${door} (P1); say where to find it with --map or --set`,
    );
  }

  return {
    door,
    rowOf(cells) {
      const key = (cells[keyColumn] ?? '').trim();
      if (key === '') return { problem: `no customer number in column "${options.key}"` };
      const attributes: Partial<Record<AttributeName, string>> = Object.fromEntries(constants);
      for (const [name, position] of columns) {
        const value = cells[position] ?? '';
        if (value !== '') attributes[name] = value;
      }
      return { key, attributes };
    },
  };
}
