import { describe, expect, it } from 'vitest';
import { LANES } from '../../../apps/partner-sharing/src/shares/feed-lanes.js';
import { ACL_RULES, PRINCIPAL_NAMES } from './principals.js';

const mayOf = (principal: string, operation: string) =>
  ACL_RULES.filter(
    (rule) => rule.principal === `User:${principal}` && rule.operation === operation && rule.resource === 'topic',
  ).map(({ name, pattern }) => (pattern === 'prefixed' ? `${name}*` : name));

describe('who may do what on the broker', () => {
  it('lets only partner-sharing read profiles, besides their owner', () => {
    const readers = PRINCIPAL_NAMES.filter((name) => mayOf(name, 'read').includes('customers.profiles.v1'));
    expect(readers).toEqual(['customer-profiles', 'partner-sharing']);
  });

  it('lets only partner-sharing write feeds and duties', () => {
    for (const topic of ['feeds.*', 'duties.*']) {
      expect(PRINCIPAL_NAMES.filter((name) => mayOf(name, 'write').includes(topic))).toEqual(['partner-sharing']);
    }
  });

  it('lets a recipient inside the house read its own feed and duties and nothing else', () => {
    expect(mayOf('notifications', 'read')).toEqual(['feeds.notifications.v1', 'duties.notifications.v1']);
    expect(mayOf('recommendations', 'read')).toEqual(['feeds.recommendations.v1', 'duties.recommendations.v1']);
    expect(mayOf('recommendations', 'write')).toEqual(['replies.recommendations.v1']);
  });

  it('lets the provisioner read and write nothing', () => {
    expect([...mayOf('provisioner', 'read'), ...mayOf('provisioner', 'write')]).toEqual([]);
  });

  it('lets nobody shut out the relay of another service', () => {
    const outboxes = ACL_RULES.filter(({ resource, name }) => resource === 'transactional-id' && /outbox/.test(name));
    expect(outboxes.map(({ principal, name }) => `${principal} ${name}`)).toEqual(
      ['customer-profiles', 'partner-sharing', 'notifications'].flatMap((service) => [
        `User:${service} ${service}.outbox.`,
        `User:${service} ${service}.outbox.`,
      ]),
    );
  });

  it('lets partner-sharing write to feeds by each of its lanes, and by nothing else', () => {
    const ofFeeds = ACL_RULES.filter(({ resource, name, operation }) => {
      return resource === 'transactional-id' && operation === 'write' && name.startsWith('feed');
    });
    expect(ofFeeds.map(({ principal, name }) => `${principal} ${name}`)).toEqual(
      Array.from({ length: LANES }, (_, lane) => `User:partner-sharing feed-lane-${lane}`),
    );
  });

  it('ends every prefix in a dot, so that no name covers another', () => {
    const prefixes = ACL_RULES.filter(({ pattern }) => pattern === 'prefixed').map(({ name }) => name);
    expect(prefixes.filter((name) => !name.endsWith('.'))).toEqual([]);
  });
});
