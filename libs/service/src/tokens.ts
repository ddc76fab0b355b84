/** An injection token, for it has no class. */
export const METRICS = Symbol('castiron:metrics');
