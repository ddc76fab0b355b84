import { ValidateIf } from 'class-validator';

/** A field that may be missing. It may not be null, which class-validator's own `IsOptional` lets through unread. */
export const CanBeLeftOut = (): PropertyDecorator => ValidateIf((_, given) => given !== undefined);
