import { ledgerMigrations } from '../ledger/migrations.js';
import { CreateRecipients1763890000001 } from './migrations/0001-create-recipients.js';
import { CreateAgreements1763890000002 } from './migrations/0002-create-agreements.js';
import { CreateCustomers1763890000003 } from './migrations/0003-create-customers.js';
import { CreatePermissions1763890000004 } from './migrations/0004-create-permissions.js';
import { CreateShares1763890000005 } from './migrations/0005-create-shares.js';
import { CreateReleaseLanes1763890000006 } from './migrations/0006-create-release-lanes.js';
import { CreateObligations1763890000007 } from './migrations/0007-create-obligations.js';
import { CreateSweeps1763890000008 } from './migrations/0008-create-sweeps.js';
import { CreateCommands1763890000009 } from './migrations/0009-create-commands.js';
import { CreateDisclosureCursor1763890000010 } from './migrations/0010-create-disclosure-cursor.js';
import { CreateShareEntries1763890000011 } from './migrations/0011-create-share-entries.js';
import { AddPurposesToObligations1763890000012 } from './migrations/0012-add-purposes-to-obligations.js';
import { CreateStatements1763890000013 } from './migrations/0013-create-statements.js';
import { PutPendingReleasesInLine1763890000014 } from './migrations/0014-put-pending-releases-in-line.js';
import { RememberCancellationsOfMailings1763890000015 } from './migrations/0015-remember-cancellations-of-mailings.js';
import { ReportFencesOfCustomers1763890000016 } from './migrations/0016-report-fences-of-customers.js';
import { CreateObjections1763890000017 } from './migrations/0017-create-objections.js';
import { LetAgreementsSetADeadline1763890000018 } from './migrations/0018-let-agreements-set-a-deadline.js';
import { CreateIncidents1763890000019 } from './migrations/0019-create-incidents.js';
import { KeepWhatEntriesWereDecidedOn1763890000020 } from './migrations/0020-keep-what-entries-were-decided-on.js';
import { NoteWhatStandsOnFeeds1763890000021 } from './migrations/0021-note-what-stands-on-feeds.js';
import { CreateFeedTicks1763890000022 } from './migrations/0022-create-feed-ticks.js';
import { CreateResyncs1763890000023 } from './migrations/0023-create-resyncs.js';
import { RememberWhatWasAnnounced1763890000024 } from './migrations/0024-remember-what-was-announced.js';

/** All migrations of this service, in order; those of outbox, inbox and idempotency come on top. */
export const migrations = [
  ...ledgerMigrations,
  CreateRecipients1763890000001,
  CreateAgreements1763890000002,
  CreateCustomers1763890000003,
  CreatePermissions1763890000004,
  CreateShares1763890000005,
  CreateReleaseLanes1763890000006,
  CreateObligations1763890000007,
  CreateSweeps1763890000008,
  CreateCommands1763890000009,
  CreateDisclosureCursor1763890000010,
  CreateShareEntries1763890000011,
  AddPurposesToObligations1763890000012,
  CreateStatements1763890000013,
  PutPendingReleasesInLine1763890000014,
  RememberCancellationsOfMailings1763890000015,
  ReportFencesOfCustomers1763890000016,
  CreateObjections1763890000017,
  LetAgreementsSetADeadline1763890000018,
  CreateIncidents1763890000019,
  KeepWhatEntriesWereDecidedOn1763890000020,
  NoteWhatStandsOnFeeds1763890000021,
  CreateFeedTicks1763890000022,
  CreateResyncs1763890000023,
  RememberWhatWasAnnounced1763890000024,
];
