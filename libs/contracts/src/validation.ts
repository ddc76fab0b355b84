import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { EventContract } from './event.js';

const ajv = new Ajv2020({ allErrors: false, strict: true, strictTypes: false });
addFormats.default(ajv);

const validators = new WeakMap<EventContract, ValidateFunction>();

function validatorOf(contract: EventContract): ValidateFunction {
  let validate = validators.get(contract);
  if (validate === undefined) {
    validate = ajv.compile(contract.schema);
    validators.set(contract, validate);
  }
  return validate;
}

/** Undefined where the data fits (JSON Schema 2020-12); else where and why it does not, never showing a value. */
export function validateData(contract: EventContract, data: unknown): string | undefined {
  const validate = validatorOf(contract);
  if (validate(data)) return undefined;
  const error = validate.errors?.[0];
  return `${error?.instancePath === '' ? 'data' : (error?.instancePath ?? 'data')}: ${error?.message ?? 'does not fit'}`;
}
