import type { Classification } from './event.js';

/**
 * The catalogue (P1, P7, P12): which attributes exist and how confidential each is, which purposes exist,
 * what is compulsory for each, and which door serves which purposes. It is a constant of the contract, since
 * whoever decides about an attribute must decide by the same catalogue.
 */
export type Tier = Classification;

/** From the least to the most confidential (P7). */
export const TIERS = ['public', 'internal', 'confidential', 'restricted'] as const satisfies readonly Tier[];

export interface Attribute {
  readonly tier: Tier;
  /** Longest value, in UTF-16 code units. */
  readonly maxLength: number;
  /** Whether a value may hold line breaks. */
  readonly multiline: boolean;
  readonly description: string;
}

const attribute = (
  tier: Tier,
  description: string,
  options: { maxLength?: number; multiline?: boolean } = {},
): Attribute => ({
  tier,
  maxLength: options.maxLength ?? 200,
  multiline: options.multiline ?? false,
  description,
});

export const ATTRIBUTES = {
  companyName: attribute('public', 'The name the customer trades under'),
  registeredAddress: attribute('internal', 'The registered address', { maxLength: 500, multiline: true }),
  vatNumber: attribute('internal', 'The VAT number', { maxLength: 30 }),
  servicesUsed: attribute('confidential', 'The services ordered', { maxLength: 1000, multiline: true }),
  domainNames: attribute('internal', 'The domain names served', { maxLength: 1000, multiline: true }),
  contactName: attribute('internal', 'The person to talk to'),
  email: attribute('confidential', 'The e-mail address', { maxLength: 254 }),
  phone: attribute('confidential', 'The telephone number', { maxLength: 40 }),
  curriculumVitae: attribute('restricted', "An applicant's own account", { maxLength: 20_000, multiline: true }),
} as const satisfies Record<string, Attribute>;

export type AttributeName = keyof typeof ATTRIBUTES;
export const ATTRIBUTE_NAMES = Object.keys(ATTRIBUTES) as AttributeName[];

export interface Purpose {
  readonly description: string;
  readonly compulsory: readonly AttributeName[];
  readonly voluntary: readonly AttributeName[];
  /** ISO 8601 duration after the purpose has ended. */
  readonly retention: string;
  /** True where even our own house needs the customer's permission (P2, P16). */
  readonly permissionOnly: boolean;
}

export const PURPOSES = {
  invoicing: {
    description: 'Writing invoices',
    compulsory: ['companyName', 'servicesUsed', 'registeredAddress'],
    voluntary: ['vatNumber', 'email'],
    retention: 'P10Y',
    permissionOnly: false,
  },
  'service-delivery': {
    description: 'Rendering the services ordered',
    compulsory: [],
    voluntary: ['companyName', 'servicesUsed', 'domainNames', 'contactName', 'email', 'phone'],
    retention: 'P1Y',
    permissionOnly: false,
  },
  recommendation: {
    description: 'Recommending further services',
    compulsory: [],
    voluntary: ['companyName', 'servicesUsed', 'email'],
    retention: 'P1Y',
    permissionOnly: true,
  },
  security: {
    description: 'Safe use of the network: disputes, fraud, abuse',
    compulsory: [],
    voluntary: ['companyName', 'domainNames', 'contactName', 'email', 'phone'],
    retention: 'P2Y',
    permissionOnly: false,
  },
  mailing: {
    description: 'E-mail about products and events',
    compulsory: ['email'],
    voluntary: ['contactName', 'companyName'],
    retention: 'P1M',
    permissionOnly: true,
  },
  notices: {
    description: 'Notices that a customer must get',
    compulsory: [],
    voluntary: ['email', 'contactName', 'companyName'],
    retention: 'P1Y',
    permissionOnly: false,
  },
  recruitment: {
    description: 'Handling a job application',
    compulsory: ['contactName'],
    voluntary: ['email', 'phone', 'curriculumVitae'],
    retention: 'P6M',
    permissionOnly: false,
  },
  'event-registration': {
    description: 'Registering for an event',
    compulsory: ['contactName'],
    voluntary: ['companyName', 'email', 'phone'],
    retention: 'P6M',
    permissionOnly: false,
  },
} as const satisfies Record<string, Purpose>;

export type PurposeName = keyof typeof PURPOSES;
export const PURPOSE_NAMES = Object.keys(PURPOSES) as PurposeName[];

/** The three ways in which identifying data arrives (P12), each with the purposes it may be used for. */
export const DOORS = {
  'service-order': ['invoicing', 'service-delivery', 'security', 'notices'],
  subscription: ['mailing', 'notices'],
  'job-application': ['recruitment', 'notices'],
} as const satisfies Record<string, readonly PurposeName[]>;

export type DoorName = keyof typeof DOORS;
export const DOOR_NAMES = Object.keys(DOORS) as DoorName[];

/** Every attribute a purpose may use: the compulsory and the voluntary ones. */
export function attributesOf(purpose: PurposeName): readonly AttributeName[] {
  return [...PURPOSES[purpose].compulsory, ...PURPOSES[purpose].voluntary];
}

/** The attributes without which a registration through this door is refused (P1). */
export function compulsoryAttributesOf(door: DoorName): readonly AttributeName[] {
  return [...new Set(DOORS[door].flatMap((purpose) => [...PURPOSES[purpose].compulsory]))];
}

/** Every attribute a registration through this door may carry (P1, P12). */
export function attributesOfDoor(door: DoorName): readonly AttributeName[] {
  return [...new Set(DOORS[door].flatMap((purpose) => attributesOf(purpose)))];
}

/** How confidential a tier is, as a number to compare: 0 is `public`. */
export function rankOf(tier: Tier): number {
  return TIERS.indexOf(tier);
}

export const isAttribute = (name: string): name is AttributeName => Object.hasOwn(ATTRIBUTES, name);
export const isPurpose = (name: string): name is PurposeName => Object.hasOwn(PURPOSES, name);
export const isDoor = (name: string): name is DoorName => Object.hasOwn(DOORS, name);
