import { ValidationPipe, type ValidationError } from '@nestjs/common';
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
    const own = Object.entries(error.constraints ?? {}).map(([rule, message]): Fault => {
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
export function refusalOfValidation(errors: readonly ValidationError[]): Refused {
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

/** Checks every dto: unknown fields are refused, never dropped in silence. */
export const validationPipe = (): ValidationPipe =>
  new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: refusalOfValidation,
  });
