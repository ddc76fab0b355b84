import { Random } from './random.js';

/** What a user does. Customers are numbered: `slot` is the nth that this process registers. */
export type Operation = {
  /** Grows; the value that the operation writes carries it, so that whoever reads the value knows who wrote it. */
  readonly id: number;
  readonly process: number;
  /** Which of the service's replicas is asked. */
  readonly replica: 0 | 1;
  readonly slot: number;
} & (
  | { readonly kind: 'register' }
  | { readonly kind: 'change'; readonly attribute: ChangedAttribute }
  /** Takes a voluntary attribute away. */
  | { readonly kind: 'withdraw'; readonly attribute: VoluntaryAttribute }
  | { readonly kind: 'grant'; readonly recipient: Recipient; readonly purpose: GrantedPurpose | 'mailing' }
  | { readonly kind: 'revoke'; readonly recipient: Partner; readonly purpose: GrantedPurpose }
  /** By the link of a mail: it stops all mailings. */
  | { readonly kind: 'cancel' }
  /** The process's own partner ends its agreement, once. */
  | { readonly kind: 'terminate' }
);

export type OperationKind = Operation['kind'];

/** What a registration says. */
export const REGISTERED = ['companyName', 'registeredAddress', 'servicesUsed', 'email', 'vatNumber'] as const;

/** Attributes that feeds carry, so that a change travels all the way. */
const CHANGED = ['companyName', 'registeredAddress', 'email', 'vatNumber'] as const;
export type ChangedAttribute = (typeof CHANGED)[number];
const VOLUNTARY = ['email', 'vatNumber'] as const;
export type VoluntaryAttribute = (typeof VOLUNTARY)[number];

/** What the partner of a run may ask for, by its agreement. */
export const PURPOSES = {
  invoicing: ['companyName', 'registeredAddress', 'vatNumber'],
  recommendation: ['companyName', 'email'],
} as const;
export type GrantedPurpose = keyof typeof PURPOSES;
const GRANTED = Object.keys(PURPOSES) as GrantedPurpose[];

/** One partner stays for all of the run; of each process one goes. */
export type Partner = 'staying' | 'leaving';
/** Whom a permission is for: notifications needs one to write of products and events. */
export type Recipient = Partner | 'notifications';

/** The slug of a recipient, which is the run's own, and a leaving partner the process's own. */
export function slugOf(run: string, process: number, recipient: Recipient): string {
  if (recipient === 'notifications') return recipient;
  return recipient === 'staying' ? run : `${run}-${process}`;
}

/** Users at work at the same time. Each acts on its own customers only, so that the order of its acts is known. */
export const PROCESSES = 6;

/** Customers that a process registers before anything else. */
const FIRST = 3;

/** Drawn by weight; a process ends its partner's agreement once, when its turn has come. */
const KINDS: readonly (readonly [Exclude<OperationKind, 'terminate'>, number])[] = [
  ['register', 6],
  ['change', 42],
  ['withdraw', 6],
  ['grant', 24],
  ['revoke', 19],
  ['cancel', 3],
];

const GRANTED_TO: readonly (readonly [Recipient, number])[] = [
  ['staying', 16],
  ['leaving', 4],
  ['notifications', 4],
];
const REVOKED_FROM: readonly (readonly [Partner, number])[] = [
  ['staying', 9],
  ['leaving', 1],
];

/** The nth act with which a partner goes: late enough to have been sent something, and while things break. */
const LEAVES = { from: 60, to: 90 };

/** Draws whom a permission is for. Who has gone, and mail that was cancelled, is not asked for again. */
class Recipients {
  private readonly cancelled = new Set<number>();
  isGone = false;

  constructor(private readonly random: Random) {}

  cancel(slot: number): void {
    this.cancelled.add(slot);
  }

  granted(slot: number): Recipient {
    const drawn = this.random.weighted(GRANTED_TO);
    return drawn === 'notifications' && this.cancelled.has(slot) ? 'staying' : this.stillThere(drawn);
  }

  revoked(): Partner {
    return this.stillThere(this.random.weighted(REVOKED_FROM));
  }

  private stillThere<R extends Recipient>(recipient: R): R | 'staying' {
    return recipient === 'leaving' && this.isGone ? 'staying' : recipient;
  }
}

/** All that one process does, one after the other, without end. Pure: the same for the same seed. */
export function* operationsOf(seed: number, process: number): Generator<Operation, never> {
  const random = new Random('operations', seed, process);
  const recipients = new Recipients(random);
  const leavesAt = random.between(LEAVES.from, LEAVES.to);
  let registered = 0;
  for (let nth = 0; ; nth += 1) {
    const base = { id: nth * PROCESSES + process, process, replica: random.between(0, 1) as 0 | 1 };
    if (nth === leavesAt) {
      recipients.isGone = true;
      yield { ...base, kind: 'terminate', slot: 0 };
      continue;
    }
    if (nth >= FIRST && nth < 2 * FIRST) {
      // So that whoever goes has something that is taken back.
      yield { ...base, kind: 'grant', slot: nth - FIRST, recipient: 'leaving', purpose: random.one(GRANTED) };
      continue;
    }
    const kind = nth < FIRST ? 'register' : random.weighted(KINDS);
    if (kind === 'register') {
      yield { ...base, kind, slot: registered };
      registered += 1;
      continue;
    }
    // Whatever is done with a customer has its shares looked at again. The first is left alone, so that what is taken back
    // of it is so by the end of the agreement, and by nothing else.
    const slot = random.between(1, registered - 1);
    if (kind === 'cancel') recipients.cancel(slot);
    yield { ...base, slot, ...detailsOf(kind, slot, random, recipients) };
  }
}

function detailsOf(
  kind: Exclude<OperationKind, 'register' | 'terminate'>,
  slot: number,
  random: Random,
  recipients: Recipients,
) {
  switch (kind) {
    case 'change':
      return { kind, attribute: random.one(CHANGED) };
    case 'withdraw':
      return { kind, attribute: random.one(VOLUNTARY) };
    case 'grant': {
      const recipient = recipients.granted(slot);
      return { kind, recipient, purpose: recipient === 'notifications' ? ('mailing' as const) : random.one(GRANTED) };
    }
    case 'revoke':
      return { kind, recipient: recipients.revoked(), purpose: random.one(GRANTED) };
    case 'cancel':
      return { kind };
  }
}
