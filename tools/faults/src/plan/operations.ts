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
  | { readonly kind: 'grant' | 'revoke'; readonly purpose: GrantedPurpose }
);

export type OperationKind = Operation['kind'];

/** What a registration says. */
export const REGISTERED = ['companyName', 'registeredAddress', 'servicesUsed', 'email', 'vatNumber'] as const;

/** Attributes that feeds carry, so that a change travels all the way. */
export const CHANGED = ['companyName', 'registeredAddress', 'email', 'vatNumber'] as const;
export type ChangedAttribute = (typeof CHANGED)[number];
export const VOLUNTARY = ['email', 'vatNumber'] as const;
export type VoluntaryAttribute = (typeof VOLUNTARY)[number];

/** What the partner of a run may ask for, by its agreement. */
export const PURPOSES = {
  invoicing: ['companyName', 'registeredAddress', 'vatNumber'],
  recommendation: ['companyName', 'email'],
} as const;
export type GrantedPurpose = keyof typeof PURPOSES;

/** Users at work at the same time. Each acts on its own customers only, so that the order of its acts is known. */
export const PROCESSES = 6;

/** Customers that a process registers before anything else. */
const FIRST = 3;

const KINDS: readonly (readonly [OperationKind, number])[] = [
  ['register', 6],
  ['change', 44],
  ['withdraw', 6],
  ['grant', 24],
  ['revoke', 20],
];

/** All that one process does, one after the other, without end. Pure: the same for the same seed. */
export function* operationsOf(seed: number, process: number): Generator<Operation, never> {
  const random = new Random('operations', seed, process);
  let registered = 0;
  for (let nth = 0; ; nth += 1) {
    const base = { id: nth * PROCESSES + process, process, replica: random.between(0, 1) as 0 | 1 };
    const kind = registered < FIRST ? 'register' : random.weighted(KINDS);
    if (kind === 'register') {
      yield { ...base, kind, slot: registered };
      registered += 1;
      continue;
    }
    const slot = random.between(0, registered - 1);
    if (kind === 'change') yield { ...base, kind, slot, attribute: random.one(CHANGED) };
    else if (kind === 'withdraw') yield { ...base, kind, slot, attribute: random.one(VOLUNTARY) };
    else yield { ...base, kind, slot, purpose: random.one(['invoicing', 'recommendation'] as const) };
  }
}
