import { connect } from '@castiron/kafka';
import { uniqueSlug } from '@castiron/testing';
import { inject, it, expect } from 'vitest';
import { KafkaProvisioning } from './provisioning.js';
it('loop', { timeout: 300_000 }, async () => {
  const logs: unknown[] = [];
  const p = inject('stack').kafka.principals['provisioner']!;
  const prov = new KafkaProvisioning(connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 's', ...p, onLog: (l) => logs.push(l) }));
  const errors: unknown[] = [];
  for (let i = 0; i < 80; i++) {
    logs.length = 0;
    await prov.prepare(uniqueSlug()).catch((e: unknown) => { errors.push(i, e); console.log(i, e, JSON.stringify(logs)); });
  }
  expect(errors).toEqual([]);
});
