/**
 * How long to wait before another try, in the unit of the limits.
 * @param failures in a row, from 1 on; each doubles the pause
 */
export function pauseAfter(
  failures: number,
  { first, longest }: { readonly first: number; readonly longest: number },
): number {
  return Math.min(longest, first * 2 ** (failures - 1));
}
