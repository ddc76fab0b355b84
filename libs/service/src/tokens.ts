/** Injection tokens for what has no class: `@Inject(LOGGER) private readonly logger: Logger`. */
export const LOGGER = Symbol('castiron:logger');
export const METRICS = Symbol('castiron:metrics');
export const SETTINGS = Symbol('castiron:settings');
export const KAFKA = Symbol('castiron:kafka');
