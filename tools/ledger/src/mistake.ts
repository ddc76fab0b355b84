/** What the person at the keyboard can mend. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}
