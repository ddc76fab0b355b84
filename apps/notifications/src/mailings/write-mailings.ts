import type { Logger } from '@castiron/observability';
import { every, type Part } from '@castiron/service';
import type { DataSource } from 'typeorm';
import { writeNextMails } from './mailing.table.js';

/** More than what leaves in the time between two steps, and less than what would hold up a database. */
const MAILS_A_STEP = 1_000;
const STEP_EVERY_MS = 1_000;

/** Writes the mails of mailings in short steps, so that one to everybody is no giant transaction and survives a crash. */
export function writeMailings(dataSource: DataSource, wakeMail: () => void, logger: Logger): Part {
  return every(
    STEP_EVERY_MS,
    'mailings',
    async () => {
      if (await writeNextMails(dataSource.manager, MAILS_A_STEP)) wakeMail();
    },
    (error) => logger.error({ err: error }, 'the mails of a mailing could not be written, and will be'),
  );
}
