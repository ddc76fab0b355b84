import {
  encodeEvent,
  encodeTombstone,
  feedRecord,
  feedTick,
  newEventId,
  withdrawalDue,
  type DataOf,
} from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { RecommendationsView } from './recommendations-view.js';

const permission = [{ purpose: 'recommendation' as const, ground: 'permission' as const }];
const meta = () => ({ id: newEventId(), time: new Date() });
const record = (version: number, attributes: DataOf<typeof feedRecord>['attributes']) =>
  encodeEvent(feedRecord, { ...feedRecord.example, version, attributes }, meta(), 'recommendations');
const given = (
  value: string,
  purposes: { purpose: 'recommendation' | 'invoicing'; ground: 'permission' }[] = permission,
) => ({ value, purposes, opening: 'AA' });

const example = { companyName: given('Example Ltd'), servicesUsed: given('dedicated server') };

describe('the view of who may be recommended what', () => {
  it('shows a customer who permitted it, and loses one who withdraws', () => {
    const view = new RecommendationsView();
    expect(view.takeRecord(record(1, example))).toBe('appeared');
    expect(view.list()).toMatchObject([{ companyName: 'Example Ltd', recommended: ['off-site backup'] }]);
    expect(view.takeRecord(record(2, {}))).toBe('disappeared');
    expect(view.list()).toEqual([]);
  });

  it('is not brought back by a late record', () => {
    const view = new RecommendationsView();
    view.takeRecord(record(1, example));
    view.takeWithdrawal({ ...withdrawalDue.example, version: 3 });
    expect(view.takeRecord(record(2, example))).toBe('nothing');
    expect(view.list()).toEqual([]);
  });

  it('uses nothing that was given for another purpose only (P2, P8)', () => {
    const view = new RecommendationsView();
    view.takeRecord(record(1, { companyName: given('Example Ltd', [{ purpose: 'invoicing', ground: 'permission' }]) }));
    expect(view.list()).toEqual([]);
  });

  it('ends with a tombstone, and passes over ticks and what it does not understand', () => {
    const view = new RecommendationsView();
    view.takeRecord(record(1, example));
    expect(view.takeRecord(feedTick('feeds.recommendations.v1', 0))).toBe('nothing');
    expect(view.takeRecord({ topic: 'feeds.recommendations.v1', key: 'x', value: '{', headers: {} })).toBe(
      'not-understood',
    );
    expect(view.takeRecord(encodeTombstone(feedRecord, feedRecord.example.subject, meta(), 'recommendations'))).toBe(
      'disappeared',
    );
  });
});
