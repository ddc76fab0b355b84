import type * as bareConsumer from './bare-consumer.js';
import type * as bareCopier from './bare-copier.js';
import type * as bareProducer from './bare-producer.js';
import type * as bareReceiver from './bare-receiver.js';
import type * as relay from './relay.js';
import type * as inbox from './inbox.js';
import type * as inspector from './inspector.js';
import type * as receiver from './receiver.js';
import type * as service from './service.js';
import type * as soakReceiver from './soak-receiver.js';
import type * as soakSender from './soak-sender.js';
import type * as writer from './writer.js';

/** What a side can be asked to do: functions of one argument, plain data in and out. */
export interface Programs {
  readonly 'bare-consumer': typeof bareConsumer;
  readonly 'bare-copier': typeof bareCopier;
  readonly 'bare-producer': typeof bareProducer;
  readonly 'bare-receiver': typeof bareReceiver;
  readonly relay: typeof relay;
  readonly inbox: typeof inbox;
  readonly inspector: typeof inspector;
  readonly receiver: typeof receiver;
  readonly service: typeof service;
  readonly 'soak-receiver': typeof soakReceiver;
  readonly 'soak-sender': typeof soakSender;
  readonly writer: typeof writer;
}

/** Loaded by name in the side's own process, so that each holds only what it needs. */
export const LOAD: { readonly [Name in keyof Programs]: () => Promise<Programs[Name]> } = {
  'bare-consumer': () => import('./bare-consumer.js'),
  'bare-copier': () => import('./bare-copier.js'),
  'bare-producer': () => import('./bare-producer.js'),
  'bare-receiver': () => import('./bare-receiver.js'),
  relay: () => import('./relay.js'),
  inbox: () => import('./inbox.js'),
  inspector: () => import('./inspector.js'),
  receiver: () => import('./receiver.js'),
  service: () => import('./service.js'),
  'soak-receiver': () => import('./soak-receiver.js'),
  'soak-sender': () => import('./soak-sender.js'),
  writer: () => import('./writer.js'),
};
