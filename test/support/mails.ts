import type { Castiron } from './castiron.js';

export interface Mail {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
}

interface Received {
  readonly to?: readonly { readonly address: string }[];
  readonly subject: string;
  readonly text?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What came to an address, in the order of its coming; `id` is the Message-ID. */
export async function mailsTo({ endpoints }: Castiron, address: string): Promise<Mail[]> {
  const mails = (await (await fetch(endpoints.mail.api)).json()) as Received[];
  return mails
    .filter((mail) => mail.to?.some((to) => to.address === address))
    .map(({ headers, subject, text }) => ({ id: headers['message-id'] ?? '', subject, text: text ?? '' }));
}
