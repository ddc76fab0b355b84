interface State {
  readonly ok: boolean;
  readonly background?: Readonly<Record<string, string>>;
}

/**
 * Undefined once a service answers requests and reads its topics, or stands still because its database was restored; else what is not so yet. More than `/health/ready` asks
 * for, which is about requests alone.
 */
export async function missingAt(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    const told = await response.text();
    const { ok, background = {} } = JSON.parse(told) as State;
    if (ok && background['restore'] === 'failed') return undefined;
    return ok && Object.values(background).every((state) => state === 'ok') ? undefined : told;
  } catch {
    return 'it does not answer';
  }
}
