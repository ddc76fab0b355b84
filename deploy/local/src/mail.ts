import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Part } from './part.js';
import { ROOT } from './places.js';

/** Where mail of this machine ends up: nothing leaves it. */
export interface MailEndpoints {
  /** `smtp://host:port`. */
  readonly smtp: string;
  /** The page to read it on. */
  readonly web: string;
  /** The same as JSON. */
  readonly api: string;
}

/** Named by its path: the package lets no one resolve it otherwise. */
const PROGRAM = join(ROOT, 'node_modules/maildev/dist/bin/maildev.js');

/** An SMTP sink with a page. */
export async function startMail(o: {
  dataDir: string;
  smtpPort: number;
  webPort: number;
}): Promise<{ part: Part; endpoints: MailEndpoints }> {
  await mkdir(o.dataDir, { recursive: true, mode: 0o700 });
  const part = new Part({
    name: 'mail',
    command: process.execPath,
    args: [
      PROGRAM,
      ...['--smtp', String(o.smtpPort), '--ip', '127.0.0.1', '--web', String(o.webPort), '--web-ip', '127.0.0.1'],
      ...['--mail-directory', join(o.dataDir, 'messages'), '--silent'],
    ],
    log: join(o.dataDir, 'mail.log'),
  });
  await part.says(/API running/);
  const web = `http://127.0.0.1:${o.webPort}`;
  return { part, endpoints: { smtp: `smtp://127.0.0.1:${o.smtpPort}`, web, api: `${web}/api/email` } };
}
