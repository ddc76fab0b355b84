/** Where mail of this machine ends up: nothing leaves it. */
export interface MailEndpoints {
  /** `smtp://host:port`. */
  readonly smtp: string;
  /** The page to read it on. */
  readonly web: string;
  /** The same as JSON. */
  readonly api: string;
}

/** An SMTP sink with a page. */
export async function startMail(ports: { smtp: number; web: number }): Promise<{ endpoints: MailEndpoints; stop(): Promise<void> }> {
  const { MailDev } = await import('maildev');
  const mail = new MailDev({ smtp: ports.smtp, web: ports.web, ip: '127.0.0.1', webIp: '127.0.0.1', silent: true } as never);
  await mail.start();
  const web = `http://127.0.0.1:${ports.web}`;
  return {
    endpoints: { smtp: `smtp://127.0.0.1:${ports.smtp}`, web, api: `${web}/api/email` },
    stop: () => mail.stop(),
  };
}
