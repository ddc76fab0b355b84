/** Deeper than any contract goes; what is nested much deeper breaks whoever walks it by recursion, such as JSON.stringify. */
const MAX_DEPTH = 64;

/**
 * What a schema may let pass in fields that it does not know, and no handler should meet: nesting without end, and a
 * field `__proto__`, which changes the object that somebody copies it into.
 * @returns undefined where there is nothing of the kind
 */
export function whatIsStrangeIn(
  data: unknown,
): { readonly reason: 'too-deep' | 'bad-data'; readonly detail: string } | undefined {
  // A list and no recursion, for the depth is the sender's choice.
  let level: unknown[] = [data];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return { reason: 'too-deep', detail: `nested deeper than ${MAX_DEPTH}` };
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      if (Object.hasOwn(value, '__proto__')) return { reason: 'bad-data', detail: 'a field is called __proto__' };
      for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) next.push(inner);
    }
    level = next;
  }
  return undefined;
}
