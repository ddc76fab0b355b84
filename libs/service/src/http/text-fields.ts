import { ValidateBy, type ValidationOptions } from 'class-validator';
import { instantOf, isLine, isText } from '../text.js';

/** @param name how `openapi-dtos.ts` knows the rule, with its constraints */
const rule = (
  name: string,
  constraints: unknown[],
  message: string,
  validate: (given: unknown) => boolean,
  options: ValidationOptions | undefined,
): PropertyDecorator =>
  ValidateBy({ name, constraints, validator: { validate, defaultMessage: () => message } }, options);

/** A field that holds an instant with its offset: see `instantOf`. */
export const IsInstant = (options?: ValidationOptions): PropertyDecorator =>
  rule(
    'isInstant',
    [],
    '$property must be an instant like 2026-11-23T09:00:00Z',
    (given) => instantOf(given) !== undefined,
    options,
  );

/** A field that people write and read, on one line: names, reasons, ways. Nothing in it can break or turn that line. */
export const IsLine = (max: number, options?: ValidationOptions): PropertyDecorator =>
  rule(
    'isLine',
    [1, max],
    `$property must be one line of 1 to ${max} characters, without control characters and marks of direction`,
    (given) => isLine(given, max),
    options,
  );

/** A field that people write and read, on as many lines as they like. */
export const IsText = (max: number, options?: ValidationOptions): PropertyDecorator =>
  rule(
    'isText',
    [1, max],
    `$property must be text of 1 to ${max} characters, without control characters and marks of direction`,
    (given) => isText(given, max),
    options,
  );
