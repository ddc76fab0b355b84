import { describe, expect, it } from 'vitest';
import { Frames } from './frames.js';
import { kafkaInspector } from './kafka-inspector.js';
import { postgresInspector } from './postgres-inspector.js';

const sized = (body: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};

describe('a stream is cut into frames', () => {
  const lengthOf = (bytes: Buffer) => (bytes.length < 4 ? undefined : 4 + bytes.readUInt32BE(0));
  const stream = Buffer.concat([sized(Buffer.from('one')), sized(Buffer.alloc(0)), sized(Buffer.from('three'))]);

  it.each([1, 2, 3, 5, 7, 100])('whatever its pieces are: %i bytes each', (piece) => {
    const frames = new Frames(lengthOf);
    const found: Buffer[] = [];
    for (let at = 0; at < stream.length; at += piece) found.push(...frames.push(stream.subarray(at, at + piece)));
    expect(found.map((frame) => frame.subarray(4).toString())).toEqual(['one', '', 'three']);
  });
});

describe('in the bytes to PostgreSQL', () => {
  const typed = (type: string, body: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length + 4);
    return Buffer.concat([Buffer.from(type), length, body]);
  };
  const query = (text: string) => typed('Q', Buffer.from(`${text}\0`));
  const parse = (text: string, name = '') => typed('P', Buffer.from(`${name}\0${text}\0\0\0`));
  const bind = (name: string) => typed('B', Buffer.from(`\0${name}\0\0\0`));
  const complete = (tag: string) => typed('C', Buffer.from(`${tag}\0`));
  const started = (memory = { acknowledged: false }) => {
    const inspector = postgresInspector(memory);
    expect(inspector.requestLength(Buffer.from([0, 0, 0, 9, 1, 2]))).toBe(9);
    expect(inspector.request(Buffer.alloc(9))).toBeUndefined();
    return inspector;
  };

  it.each(['outbox (xid)', 'sending_records (lane)'])(
    'the commit is seen of what wrote to %s, and of no other',
    (table) => {
      const inspector = started();
      inspector.request(query('START TRANSACTION'));
      inspector.request(parse('INSERT INTO customers VALUES ($1)'));
      expect(inspector.request(query('COMMIT'))).toBeUndefined();
      expect(inspector.answer(complete('COMMIT'))).toBeUndefined();
      inspector.request(query('START TRANSACTION'));
      inspector.request(parse(`INSERT INTO ${table} VALUES ($1)`));
      expect(inspector.answer(complete('INSERT 0 1'))).toBeUndefined();
      expect(inspector.request(query('COMMIT'))).toBe('before-commit');
      expect(inspector.answer(complete('COMMIT'))).toBe('after-commit');
    },
  );

  it('the commit is seen that goes along with what it commits', () => {
    const inspector = started();
    inspector.request(parse('START TRANSACTION'));
    inspector.request(parse('SELECT pg_advisory_xact_lock($1)', 'lock'));
    inspector.request(parse('INSERT INTO outbox (xid) VALUES ($1)', 'append'));
    expect(inspector.request(bind('append'))).toBeUndefined();
    expect(inspector.request(parse('COMMIT'))).toBe('before-commit');
    expect(inspector.answer(complete('INSERT 0 1'))).toBeUndefined();
    expect(inspector.answer(complete('COMMIT'))).toBe('after-commit');
  });

  it('the ids of an inbox are seen once they are remembered', () => {
    const inspector = started();
    inspector.request(parse('INSERT INTO inbox (event_id, consumer) SELECT 1'));
    expect(inspector.answer(complete('INSERT 0 3'))).toBe('inside-inbox');
    expect(inspector.answer(complete('INSERT 0 3'))).toBeUndefined();
  });

  it('the cursor is seen to move only after something was acknowledged', () => {
    const memory = { acknowledged: false };
    const inspector = started(memory);
    const move = parse('UPDATE outbox_lanes l\n SET settled = c.settled::pg_snapshot');
    expect(inspector.request(move)).toBeUndefined();
    memory.acknowledged = true;
    expect(inspector.request(move)).toBe('before-mark');
    expect(inspector.request(move)).toBeUndefined();
  });

  it('what a lane sent is seen to be settled', () => {
    expect(started().request(parse('DELETE FROM sending_records s USING unnest($1)'))).toBe('before-feed-settle');
  });

  it('a statement that was prepared is seen each time it is run, and not when it is prepared', () => {
    const memory = { acknowledged: true };
    const inspector = started(memory);
    expect(inspector.request(parse('UPDATE outbox_lanes l SET settled = c.settled', 'mark'))).toBeUndefined();
    for (const _ of [1, 2]) {
      memory.acknowledged = true;
      expect(inspector.request(bind('other'))).toBeUndefined();
      expect(inspector.request(bind('mark'))).toBe('before-mark');
    }
  });
});

describe('in the bytes to Kafka', () => {
  const request = (api: number, correlation: number, first: string | null, topic = '') => {
    const header = Buffer.alloc(8);
    header.writeInt16BE(api, 0);
    header.writeInt16BE(7, 2);
    header.writeInt32BE(correlation, 4);
    const text = (value: string | null) => {
      const length = Buffer.alloc(2);
      length.writeInt16BE(value === null ? -1 : value.length);
      return Buffer.concat([length, Buffer.from(value ?? '')]);
    };
    return sized(Buffer.concat([header, text('client'), text(first), Buffer.alloc(10), text(topic)]));
  };
  const answer = (correlation: number) => {
    const body = Buffer.alloc(10);
    body.writeInt32BE(correlation, 0);
    return sized(body);
  };

  it('a send of the relay and its acknowledgement are seen', () => {
    const memory = { acknowledged: false };
    const inspector = kafkaInspector(memory);
    expect(inspector.request(request(0, 5, null, 'duties.acme.v1'))).toBe('before-send');
    expect(inspector.answer(answer(4))).toBeUndefined();
    expect(memory.acknowledged).toBe(false);
    expect(inspector.answer(answer(5))).toBe('before-acknowledgement');
    expect(memory.acknowledged).toBe(true);
  });

  it('a send of a lane is told from one of the relay by where it goes', () => {
    const memory = { acknowledged: false };
    const inspector = kafkaInspector(memory);
    expect(inspector.request(request(22, 1, 'feed-lane-3'))).toBeUndefined();
    expect(inspector.request(request(0, 3, null, 'feeds.acme.v1'))).toBe('before-feed-send');
    expect(inspector.answer(answer(3))).toBe('before-feed-acknowledgement');
    expect(memory.acknowledged, 'by the relay').toBe(false);
    expect(inspector.request(request(8, 5, 'group'))).toBe('before-offset-commit');
  });
});
