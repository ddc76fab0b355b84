interface Mail {
  readonly text?: string;
}

const LINK = /\/cancellations\/([\w-]+)/;

/** What stands behind the link for cancelling, by a mail that came to the address; undefined while none has. */
export async function cancellationIn(mail: string, address: string): Promise<string | undefined> {
  const query = new URLSearchParams({ 'to.address': address, limit: '1' });
  const [first] = (await (await fetch(`${mail}?${query.toString()}`)).json()) as Mail[];
  return LINK.exec(first?.text ?? '')?.[1];
}
