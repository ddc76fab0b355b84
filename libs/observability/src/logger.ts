import { pino, stdSerializers, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { correlationId } from './correlation.js';
import { Repetitions } from './repetitions.js';

export type { Logger } from 'pino';

/**
 * Fields that are dropped wherever they stand at the first two levels: bodies and whatever holds a person's data or a
 * secret. The first defence is not to log them; this is the second.
 */
const NEVER = [
  'body',
  'payload',
  'data',
  'value',
  'values',
  'attributes',
  'parameters',
  'query',
  'detail',
  'password',
  'secret',
  'token',
  'authorization',
  'cookie',
  'headers',
  'email',
];

/**
 * Errors whose message repeats what they were given: those of the database (`Key (email)=(...) already exists`), of
 * JSON.parse (`Unexpected token 'q', "quince@..." is not valid JSON`) and of Node itself (`Received 'quince'`).
 */
function repeatsValues(error: Error, code: unknown): boolean {
  if (error instanceof SyntaxError || 'driverError' in error) return true;
  return typeof code === 'string' && /^(?:[0-9A-Z]{5}|ERR_.*)$/.test(code);
}

/** What of an error is told: type, code, stack, cause, and its message where that cannot repeat a value. */
function safeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, driverError, constraint, table } = error as Error & Record<string, unknown>;
  const told = (driverError as { code?: unknown } | undefined)?.code ?? code;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: error.name,
    ...(typeof told === 'string' && { code: told }),
    ...(repeatsValues(error, told) ? { constraint, table } : { message: error.message }),
    stack: frames.join('\n'),
    ...(error.cause instanceof Error && { cause: safeError(error.cause) }),
  };
}

/** pino's numbers of the levels that complain. `fatal` is none of them: a process says it once. */
const WARN = 40;
const ERROR = 50;

/** Leaves out what was said often lately, see {@link Repetitions}. */
function seldom(): NonNullable<LoggerOptions['hooks']>['logMethod'] {
  const repetitions = new Repetitions();
  return function (given, write, level) {
    const [first, second] = given as unknown[];
    const words = typeof first === 'string' ? first : second;
    if ((level !== WARN && level !== ERROR) || typeof words !== 'string') return write.apply(this, given);
    const leftOut = repetitions.next(words, Date.now());
    if (leftOut === undefined) return;
    if (leftOut === 0) return write.apply(this, given);
    write.call(this, { ...(typeof first === 'object' && first), leftOut }, words);
  };
}

/**
 * JSON lines on stdout with the service's name and the correlation id. Log facts and ids of things, never bodies and
 * never a customer's data. A complaint in the same words is written five times in ten seconds, and then counted.
 */
export function createLogger(service: string, level = 'info', destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: () => {
      const id = correlationId();
      return id === undefined ? {} : { correlationId: id };
    },
    hooks: { logMethod: seldom() },
    serializers: { ...stdSerializers, err: safeError, error: safeError },
    redact: { paths: NEVER.flatMap((name) => [name, `*.${name}`]), remove: true },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
