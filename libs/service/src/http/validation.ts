import { ValidationPipe, type ArgumentMetadata, type ValidationError } from '@nestjs/common';
import { Refused } from '@castiron/failures';

/** What a dto's rule may add to a refusal: `@IsUUID('4', because({ promise: 'P1' }))`. */
export interface Because {
  /** The promise of the statement that refuses. */
  readonly promise?: string;
  /** Stable and kebab-case; `invalid-field` where none is given. */
  readonly code?: string;
}

/** Options for a class-validator rule, so that its refusal names the promise. */
export const because = (reason: Because): { context: Because } => ({ context: reason });

interface Fault extends Because {
  readonly field: string;
  readonly detail: string;
}

const MAX_FAULTS = 20;
const MAX_TEXT = 200;

/** What class-validator calls a field that the dto does not know. */
const UNKNOWN_FIELD = 'whitelistValidation';

function faultsOf(errors: readonly ValidationError[], parent = ''): Fault[] {
  return errors.flatMap((error) => {
    const field = [parent, error.property ?? ''].filter((part) => part !== '').join('.');
    // class-validator has a field's rules from the last to the first; the first one, as a rule its type, tells most.
    const rules = Object.entries(error.constraints ?? {}).reverse();
    const own = rules.map(([rule, message]): Fault => {
      const reason = (error.contexts?.[rule] ?? {}) as Because;
      return {
        field: field.slice(0, MAX_TEXT),
        detail: (rule === UNKNOWN_FIELD ? 'There is no such field.' : message).slice(0, MAX_TEXT),
        code: reason.code ?? (rule === UNKNOWN_FIELD ? 'unknown-field' : 'invalid-field'),
        ...(reason.promise !== undefined && { promise: reason.promise }),
      };
    });
    return [...own, ...faultsOf(error.children ?? [], field)];
  });
}

/** The refusal of a request that does not fit its dto: the first fault, and all of them in `faults`. */
function refusalOfValidation(errors: readonly ValidationError[]): Refused {
  const faults = faultsOf(errors);
  const [first] = faults;
  if (first === undefined || first.field === '') {
    return new Refused({ kind: 'invalid', code: 'not-an-object', detail: 'The body must be a JSON object.' });
  }
  return new Refused({
    kind: 'invalid',
    code: first.code ?? 'invalid-field',
    detail: first.detail,
    field: first.field,
    ...(first.promise !== undefined && { promise: first.promise }),
    faults: faults.slice(0, MAX_FAULTS),
  });
}

/** Names that class-transformer and Nest drop without a word: those that every object of JavaScript has anyway. */
const isDropped = (name: string): boolean => name in Object.prototype || name === 'prototype';

const REASON_OF_NAMES = 'castiron:unknown-names';

/** For a field whose names are data: what the refusal of a name says that nothing can have, such as `constructor`. */
export const UnknownNames =
  (reason: Because): PropertyDecorator =>
  (target, property) =>
    Reflect.defineMetadata(REASON_OF_NAMES, reason, target, property);

/** Where a name stands that would be dropped. Bodies are shallow when they come here (`assertShallow`). */
function droppedName(value: unknown): string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const path = isDropped(name) ? [] : droppedName(inner);
    if (path !== undefined) return [name, ...path];
  }
  return undefined;
}

/** Drops nothing in silence: neither a field that the dto does not know, nor a name that JavaScript has a use for. */
class StrictValidationPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const path = this.toValidate(metadata) ? droppedName(value) : undefined;
    if (path === undefined) return super.transform(value, metadata);
    const { prototype } = metadata.metatype as { prototype: object };
    const { code, promise }: Because = Reflect.getMetadata(REASON_OF_NAMES, prototype, path[0] ?? '') ?? {};
    throw new Refused({
      kind: 'invalid',
      code: code ?? 'unknown-field',
      detail: 'There is no such field.',
      field: path.join('.').slice(0, MAX_TEXT),
      ...(promise !== undefined && { promise }),
    });
  }
}

/** Checks every dto: unknown fields are refused. */
export const validationPipe = (): ValidationPipe =>
  new StrictValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: refusalOfValidation,
  });
