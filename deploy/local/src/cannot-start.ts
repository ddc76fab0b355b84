/** A reason that is told to the person at the terminal as it is, in one sentence, without a stack trace. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}
