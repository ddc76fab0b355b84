import type { INestApplicationContext, Type } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { getMetadataStorage } from 'class-validator';

/** Where @nestjs/swagger notes that a property was described by hand. */
const DESCRIBED = 'swagger/apiModelProperties';

/** What class-validator calls "check the inside too", and "only if it is there". */
const NESTED = 'nestedValidation';
const OPTIONAL = 'conditionalValidation';

interface Rule {
  readonly type: string;
  readonly name?: string | undefined;
  readonly constraints?: readonly unknown[] | undefined;
  readonly each: boolean;
  readonly propertyName: string;
}

type Schema = Record<string, unknown>;

/** What a rule says in JSON Schema; rules not listed say nothing. */
const SAYS: Readonly<Record<string, (constraints: readonly unknown[]) => Schema>> = {
  isString: () => ({ type: 'string' }),
  isBoolean: () => ({ type: 'boolean' }),
  isInt: () => ({ type: 'integer' }),
  isNumber: () => ({ type: 'number' }),
  isObject: () => ({ type: 'object', additionalProperties: true }),
  isUuid: () => ({ type: 'string', format: 'uuid' }),
  isEmail: () => ({ type: 'string', format: 'email' }),
  isInstant: () => ({ type: 'string', format: 'date-time' }),
  isLine: ([minLength, maxLength]) => ({ type: 'string', minLength, maxLength }),
  isText: ([minLength, maxLength]) => ({ type: 'string', minLength, maxLength }),
  isDateString: () => ({ type: 'string', format: 'date-time' }),
  isIso8601: () => ({ type: 'string', format: 'date-time' }),
  isIn: ([values]) => ({ enum: values }),
  isEnum: ([values]) => ({ enum: Object.values(values as object) }),
  matches: ([pattern]) => ({ type: 'string', pattern: pattern instanceof RegExp ? pattern.source : String(pattern) }),
  min: ([minimum]) => ({ minimum }),
  max: ([maximum]) => ({ maximum }),
  minLength: ([minLength]) => ({ minLength }),
  maxLength: ([maxLength]) => ({ maxLength }),
  isLength: ([minLength, maxLength]) => ({ minLength, ...(maxLength !== undefined && { maxLength }) }),
  arrayMinSize: ([minItems]) => ({ minItems }),
  arrayMaxSize: ([maxItems]) => ({ maxItems }),
};

/**
 * Describes each dto to OpenAPI by its own validation rules, so that page and validation cannot part. Properties that
 * carry an `@ApiProperty` keep it.
 */
export function describeDtos(app: INestApplicationContext): void {
  const scanner = new MetadataScanner();
  const seen = new Set<unknown>();
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as object;
      for (const method of scanner.getAllMethodNames(prototype)) {
        const types = (Reflect.getMetadata('design:paramtypes', prototype, method) ?? []) as unknown[];
        for (const type of types) describe(type, seen);
      }
    }
  }
}

function describe(type: unknown, seen: Set<unknown>): void {
  if (typeof type !== 'function' || seen.has(type)) return;
  seen.add(type);
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', true, false) as unknown as Rule[];
  const prototype = (type as Type).prototype as object;
  for (const property of new Set(rules.map(({ propertyName }) => propertyName))) {
    const own = rules.filter(({ propertyName }) => propertyName === property);
    const inner: unknown = Reflect.getMetadata('design:type', prototype, property);
    if (own.some((rule) => rule.type === NESTED)) describe(inner, seen);
    if (Reflect.hasMetadata(DESCRIBED, prototype, property)) continue;
    ApiProperty(optionsOf(own, inner))(prototype, property);
  }
}

function optionsOf(rules: readonly Rule[], inner: unknown): ApiPropertyOptions {
  const required = !rules.some(({ type }) => type === OPTIONAL);
  const isList = inner === Array;
  if (!isList && rules.some(({ type }) => type === NESTED) && typeof inner === 'function' && inner !== Object) {
    return { required, type: inner as Type };
  }
  const schema: Schema = {};
  const items: Schema = {};
  for (const { name, constraints, each } of rules) {
    Object.assign(isList && each ? items : schema, SAYS[name ?? '']?.(constraints ?? []));
  }
  // Sound: both are JSON Schema fragments, which is what these options hold.
  return { required, ...schema, ...(isList && { type: 'array', items }) };
}
