import {
  customerErased,
  customersErasures,
  customersProfiles,
  customersStatements,
  profileChanged,
  statementPublished,
} from '@castiron/contracts';
import { outboxKey } from '@castiron/transactions';

/** All that this service may publish; each goes through the outbox, with the change it tells of. */
export const publications = { profileChanged, customerErased, statementPublished } as const;

/** What a transaction that publishes a customer's profile must hold: it serialises all changes of that customer. */
export const orderOfProfile = (customer: string): string => outboxKey(customersProfiles.name, customer);

export const orderOfErasure = (customer: string): string => outboxKey(customersErasures.name, customer);

export const orderOfStatement = (version: number): string => outboxKey(customersStatements.name, String(version));
