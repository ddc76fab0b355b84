import { profileChanged, statementPublished } from '@castiron/contracts';

/** All that this service may publish; each goes through the outbox, with the change it tells of. */
export const publications = { profileChanged, statementPublished } as const;
