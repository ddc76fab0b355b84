import { encodeEvent, newEventId, resyncRequested, type WireMessage } from '@castiron/contracts';
import { connect } from '@castiron/kafka';
import { Mistake, type TailSettings } from './config.js';

function requestOf(slug: string, subject: string | undefined): WireMessage {
  const time = new Date();
  const data = { at: time.toISOString(), ...(subject !== undefined && { subject }) };
  try {
    return encodeEvent(resyncRequested, data, { id: newEventId(), time }, slug);
  } catch {
    throw new Mistake(`"${subject}" is not the id of a subject: a UUID, as in the copy`);
  }
}

/** Asks, as the partner, for the records of one subject anew, or of all. They come by the feed. */
export async function askForResync(
  { slug, kafka }: Pick<TailSettings, 'slug' | 'kafka'>,
  subject?: string,
): Promise<void> {
  const request = requestOf(slug, subject);
  const producer = connect(kafka).producer();
  try {
    await producer.send([request]);
  } finally {
    await producer.close();
  }
}
