/** The work may succeed later: whoever delivered it tries again. */
export class Retryable extends Error {
  override readonly name: string = 'Retryable';
}

/** There is no room for what adds or widens. It may come again later; what takes away is not refused. */
export class NoRoom extends Retryable {
  override readonly name: string = 'NoRoom';
}

/** The message will never be handled as it is: it is parked with this reason. */
export class Poison extends Error {
  override readonly name = 'Poison';

  /** @param reason a stable kebab-case code shown to operators; never a value of the message */
  constructor(
    readonly reason: string,
    detail?: string,
  ) {
    super(detail === undefined ? reason : `${reason}: ${detail}`);
  }
}
