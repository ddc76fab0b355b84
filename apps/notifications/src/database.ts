import { CreateSubjectsAndTheirKeys1764000004001 } from './migrations/0001-create-subjects-and-their-keys.js';
import { CreateMailsAndMailings1764000004002 } from './migrations/0002-create-mails-and-mailings.js';
import { CreateCancellations1764000004003 } from './migrations/0003-create-cancellations.js';
import { LetWaitingNoticesExpire1764000004004 } from './migrations/0004-let-waiting-notices-expire.js';
import { WriteMailingsInSteps1764000004005 } from './migrations/0005-write-mailings-in-steps.js';
import { LetTheFeedAcknowledgeCancellations1764000004006 } from './migrations/0006-let-the-feed-acknowledge-cancellations.js';
import { LetMailsEndInDoubt1764000004007 } from './migrations/0007-let-mails-end-in-doubt.js';
import { TellOfCancellationsLater1764000004008 } from './migrations/0008-tell-of-cancellations-later.js';

/** This service's own tables; those of outbox, inbox and idempotency are added when it runs. */
export const databaseMigrations = [
  CreateSubjectsAndTheirKeys1764000004001,
  CreateMailsAndMailings1764000004002,
  CreateCancellations1764000004003,
  LetWaitingNoticesExpire1764000004004,
  WriteMailingsInSteps1764000004005,
  LetTheFeedAcknowledgeCancellations1764000004006,
  LetMailsEndInDoubt1764000004007,
  TellOfCancellationsLater1764000004008,
];
