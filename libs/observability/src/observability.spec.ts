import { describe, expect, it } from 'vitest';
import { correlationId, createLogger, createMetrics, Health, isCorrelationId, runWithCorrelation } from './index.js';

function capture(): { lines: Record<string, unknown>[]; write(line: string): void } {
  const lines: Record<string, unknown>[] = [];
  return { lines, write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
}

describe('logs', () => {
  it('are JSON lines with service, level, time and the correlation id of the work', () => {
    const out = capture();
    const logger = createLogger('svc', 'info', out);
    runWithCorrelation('request-0001', () => logger.info({ count: 2 }, 'done'));
    logger.debug('not shown');
    expect(out.lines).toHaveLength(1);
    expect(out.lines[0]).toMatchObject({
      level: 'info',
      service: 'svc',
      correlationId: 'request-0001',
      count: 2,
      msg: 'done',
    });
  });

  it('drop bodies, attributes and secrets at both levels', () => {
    const out = capture();
    createLogger('svc', 'info', out).info(
      {
        body: 'quince',
        attributes: { a: 'quince' },
        request: { headers: { authorization: 'quince' }, body: 'quince', id: 7 },
      },
      'in',
    );
    expect(JSON.stringify(out.lines)).not.toContain('quince');
    expect(out.lines[0]).toMatchObject({ request: { id: 7 } });
  });

  it('tell of a database error its code and constraint, never the values it repeats', () => {
    const out = capture();
    const error = Object.assign(new Error('duplicate key (quince@example.org)'), {
      driverError: { code: '23505', detail: 'Key (email)=(quince@example.org) already exists.' },
      constraint: 'one_email',
    });
    createLogger('svc', 'info', out).error({ err: error }, 'failed');
    expect(JSON.stringify(out.lines)).not.toContain('quince');
    expect(out.lines[0]).toMatchObject({ err: { code: '23505', constraint: 'one_email' } });
  });
});

describe('what a log tells of an error', () => {
  const failing = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };

  it.each([
    ['JSON.parse', failing(() => JSON.parse('quince@example.org'))],
    ['Node', failing(() => Buffer.from('x').readUInt8('quince@example.org' as unknown as number))],
    ['anything, as a cause', new Error('no answer', { cause: failing(() => JSON.parse('quince@example.org')) })],
  ])('never holds the value that %s repeats', (_who, error) => {
    expect(
      JSON.stringify([(error as Error).message, ((error as Error).cause as Error | undefined)?.message]),
    ).toContain('quince');
    const out = capture();
    createLogger('svc', 'info', out).error({ err: error }, 'failed');
    expect(JSON.stringify(out.lines)).not.toContain('quince');
    expect(out.lines[0]).toHaveProperty(['err', 'stack']);
  });
});

describe('a correlation id', () => {
  it('follows awaited work and ends with it', async () => {
    await runWithCorrelation('abcdefgh', async () => {
      await Promise.resolve();
      expect(correlationId()).toBe('abcdefgh');
    });
    expect(correlationId()).toBeUndefined();
  });

  it('from outside is refused where it could break a log line or a header', () => {
    expect(isCorrelationId('0190c2a1-7b7e')).toBe(true);
    for (const bad of ['', 'short', 'a'.repeat(65), 'with space here', 'line\nbreak-in-it', undefined, ['abcdefgh']]) {
      expect(isCorrelationId(bad)).toBe(false);
    }
  });
});

describe('metrics', () => {
  it('are made once per name and carry the service', async () => {
    const metrics = createMetrics('svc');
    metrics.counter('things_total', 'Things.', ['kind']).inc({ kind: 'a' });
    metrics.counter('things_total', 'Things.', ['kind']).inc({ kind: 'a' });
    expect(await metrics.registry.getSingleMetricAsString('things_total')).toContain(
      'things_total{kind="a",service="svc"} 2',
    );
  });
});

describe('health', () => {
  it('is ready when every check passes, and names the one that does not without its message', async () => {
    const health = new Health();
    health.addCheck('database', () => undefined);
    expect(await health.ready()).toEqual({ ok: true, checks: { database: 'ok' }, background: {} });
    health.addCheck('keys', () => Promise.reject(new Error('10.0.0.5 refused')));
    expect(await health.ready()).toMatchObject({ ok: false, checks: { database: 'ok', keys: 'failed' } });
  });

  it('keeps no request away for what goes on beside them, and tells of it', async () => {
    const health = new Health();
    health.addCheck('database', () => undefined);
    health.addBackground('inbox', () => Promise.reject(new Error('10.0.0.5 refused')));
    expect(await health.ready()).toEqual({ ok: true, checks: { database: 'ok' }, background: { inbox: 'failed' } });
    expect(() => health.addCheck('inbox', () => undefined)).toThrow('already');
  });
});
