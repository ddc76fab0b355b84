const CHANGING = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** What reads has nothing to repeat, and adds nothing. */
export const isChanging = (method: string): boolean => CHANGING.has(method);
