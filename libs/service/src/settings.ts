/** How one setting is read from the environment. Made by `text`, `number`, `url` and their like. */
export interface Setting<T> {
  readonly env: string;
  /** A secret's value is never shown, not even where it is wrong. */
  readonly secret: boolean;
  readonly fallback: { readonly value: T } | undefined;
  /** @throws Error whose message completes "NAME must be ..." */
  read(raw: string): T;
}

/** A value that is known without asking the environment. */
export interface Fixed<T> {
  readonly fixed: T;
}

export type Spec = Readonly<Record<string, Setting<unknown> | Fixed<unknown>>>;

export type SettingsOf<S extends Spec> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : S[Name] extends Fixed<infer T> ? T : never;
};

interface Options<T> {
  readonly fallback?: T;
  readonly secret?: boolean;
}

/** A start with bad settings: `problems` names every one of them, and no secret's value. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';

  constructor(readonly problems: readonly string[]) {
    super(`Bad settings:\n  ${problems.join('\n  ')}`);
  }
}

function setting<T>(env: string, options: Options<T>, read: (raw: string) => T): Setting<T> {
  const { fallback, secret = false } = options;
  return { env, secret, fallback: fallback === undefined ? undefined : { value: fallback }, read };
}

export const fixed = <T>(value: T): Fixed<T> => ({ fixed: value });

export const text = (env: string, options: Options<string> & { pattern?: RegExp } = {}): Setting<string> =>
  setting(env, options, (raw) => {
    if (options.pattern !== undefined && !options.pattern.test(raw))
      throw new Error(`text like ${options.pattern.source}`);
    return raw;
  });

export const oneOf = <T extends string>(env: string, values: readonly T[], options: Options<T> = {}): Setting<T> =>
  setting(env, options, (raw) => {
    const found = values.find((value) => value === raw);
    if (found === undefined) throw new Error(`one of ${values.join(', ')}`);
    return found;
  });

export const wholeNumber = (env: string, options: Options<number> & { min: number; max: number }): Setting<number> =>
  setting(env, options, (raw) => {
    const value = /^\d+$/.test(raw) ? Number(raw) : Number.NaN;
    if (!(value >= options.min && value <= options.max))
      throw new Error(`a whole number from ${options.min} to ${options.max}`);
    return value;
  });

export const flag = (env: string, options: Options<boolean> = {}): Setting<boolean> =>
  setting(env, options, (raw) => {
    if (raw !== 'true' && raw !== 'false') throw new Error('true or false');
    return raw === 'true';
  });

export const list = (
  env: string,
  options: Options<readonly string[]> & { each?: RegExp } = {},
): Setting<readonly string[]> =>
  setting(env, options, (raw) => {
    const values = raw.split(',').map((value) => value.trim());
    const { each = /./ } = options;
    if (!values.every((value) => each.test(value))) throw new Error(`a list, separated by commas, of ${each.source}`);
    return Object.freeze(values);
  });

/** @param protocols such as `['http:', 'https:']` */
export const url = (env: string, protocols: readonly string[], options: Options<string> = {}): Setting<string> =>
  setting(env, options, (raw) => {
    if (!URL.canParse(raw) || !protocols.includes(new URL(raw).protocol)) {
      throw new Error(`an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
    }
    return raw;
  });

/**
 * Reads every setting of the specification at once. An empty variable counts as missing.
 *
 * @returns a frozen object with the specification's names
 * @throws BadSettings naming every bad setting, never showing a secret
 */
export function parseSettings<S extends Spec>(
  env: Readonly<Record<string, string | undefined>>,
  spec: S,
): SettingsOf<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(spec)) {
    if ('fixed' in one) {
      values[name] = one.fixed;
      continue;
    }
    const raw = env[one.env];
    if (raw === undefined || raw === '') {
      if (one.fallback === undefined) problems.push(`${one.env} is missing`);
      else values[name] = one.fallback.value;
      continue;
    }
    try {
      values[name] = one.read(raw);
    } catch (error) {
      const wanted = error instanceof Error ? error.message : 'something else';
      problems.push(`${one.env} must be ${wanted}${one.secret ? '' : `, and is ${JSON.stringify(raw.slice(0, 80))}`}`);
    }
  }
  if (problems.length > 0) throw new BadSettings(problems);
  // Sound: each name of the specification was given a value above, or this line is not reached.
  return Object.freeze(values) as SettingsOf<S>;
}
