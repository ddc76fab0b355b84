import { randomBytes } from 'node:crypto';

/** A recipient's slug that no other test uses. */
export const uniqueSlug = (prefix = 'p'): string => `${prefix}${randomBytes(5).toString('hex')}`;
