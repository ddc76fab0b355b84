import { randomUUID } from 'node:crypto';
import { eventually } from '@castiron/testing';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { FencedProducer, Producer } from '../index.js';
import { ConformanceRig, message } from '../testing/conformance.rig.js';
import { Valve } from '../testing/valve.js';

const rig = new ConformanceRig(inject('stack').kafka, inject('kafkaClient'));
afterAll(() => rig.close());

const newName = () => `spec-${randomUUID()}`;

async function opened(name: string): Promise<FencedProducer> {
  const producer = rig.kafka.fencedProducer(name);
  await producer.open();
  return producer;
}

describe('a fenced producer', () => {
  it('sends in order, after a failed send only once it is open again', async () => {
    const topic = await rig.newTopic();
    const producer = rig.kafka.fencedProducer(newName());
    await expect(producer.send([message(topic, 'k', 'never')])).rejects.toThrow(/not open/);
    await producer.open();
    await Promise.all(['1', '2', '3'].map((value) => producer.send([message(topic, 'k', value)])));
    const tooLarge = 'x'.repeat(3 * 1_048_576);
    await expect(producer.send([message(topic, 'k', tooLarge)])).rejects.toThrow();
    await expect(producer.send([message(topic, 'k', 'never')])).rejects.toThrow(/not open/);
    await producer.open();
    await producer.send([message(topic, 'k', '4')]);
    await producer.close();
    expect(await rig.valuesOf(topic)).toEqual(['1', '2', '3', '4']);
  });

  it('is shut out where its successor has sent, and by no other name', async () => {
    const topic = await rig.newTopic();
    const name = newName();
    const [first, other] = [await opened(name), await opened(newName())];
    await first.send([message(topic, 'k', 'first')]);
    const second = await opened(name);
    await second.send([message(topic, 'k', 'second')]);
    await expect(first.send([message(topic, 'k', 'stale')])).rejects.toThrow();
    await other.send([message(topic, 'k', 'other')]);
    await Promise.all([first.close(), second.close(), other.close()]);
    expect(await rig.valuesOf(topic)).toEqual(['first', 'second', 'other']);
  });

  it('leaves no transaction open, which would hold readers back', async () => {
    const topic = await rig.newTopic();
    const producer = await opened(newName());
    await producer.send([message(topic, 'k', '1')]);
    expect(await rig.admin.endOffsets(topic)).toEqual([{ partition: 0, offset: '1' }]);
    await producer.close();
  });
});

describe('bytes of a producer that are held up in the network until its successor has sent the same and more', () => {
  let valve: Valve;
  beforeEach(async () => {
    valve = await Valve.open(inject('stack').kafka.bootstrap);
  });
  afterEach(() => valve.close());

  /** @returns the version that stands last, and what became of the send that was held up */
  async function race(former: Producer, successor: () => Promise<Producer>, topic: string) {
    valve.state = 'held';
    const late = former.send([message(topic, 'k', 'v1')]).then(
      () => 'sent',
      () => 'refused',
    );
    await eventually(() => valve.holds);
    valve.through = false;
    const second = await successor();
    await second.send([message(topic, 'k', 'v1')]);
    await second.send([message(topic, 'k', 'v2')]);
    valve.state = 'open';
    const became = await late;
    await Promise.all([former.close(), second.close()]);
    return { last: (await rig.valuesOf(topic)).at(-1), became };
  }

  it('are refused where both have a name', async () => {
    const topic = await rig.newTopic();
    const name = newName();
    valve.through = true;
    const former = await opened(name);
    await former.send([message(topic, 'k', 'v0')]);
    expect(await race(former, () => opened(name), topic)).toEqual({ last: 'v2', became: 'refused' });
  });

  it('are refused too where it was the same producer that gave the send up', async () => {
    const topic = await rig.newTopic();
    valve.through = true;
    const producer = rig.with({ leaseMs: 3_000 }).fencedProducer(newName());
    await producer.open();
    await producer.send([message(topic, 'k', 'v0')]);
    valve.state = 'held';
    await expect(producer.send([message(topic, 'k', 'v1')])).rejects.toThrow('sending took longer');
    valve.through = false;
    await producer.open();
    await producer.send([message(topic, 'k', 'v1')]);
    await producer.send([message(topic, 'k', 'v2')]);
    const { answers } = valve;
    valve.state = 'open';
    await eventually(() => valve.answers > answers);
    await producer.close();
    expect((await rig.valuesOf(topic)).at(-1)).toBe('v2');
  });

  it('stand last where they have none', async () => {
    const topic = await rig.newTopic();
    valve.through = true;
    const former = rig.kafka.producer();
    await former.send([message(topic, 'k', 'v0')]);
    expect(await race(former, async () => rig.kafka.producer(), topic)).toEqual({ last: 'v1', became: 'sent' });
  });
});
