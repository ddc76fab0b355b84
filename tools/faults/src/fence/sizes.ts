/** How much is done, and how fast. */
export interface FenceSize {
  /** Each with a permission that stays, and one that is given and taken back again and again. */
  readonly customers: number;
  /** Revocations in a second, as long as nothing holds their customers up. */
  readonly rate: number;
  /** Records with data that the feed must get, at least. */
  readonly records: number;
  /** Sends whose bytes arrive after their lane has given them up, at least. */
  readonly late: number;
  /** Of all sends, the part that is held up. */
  readonly heldPart: number;
  /** How long a silent owner of a lane keeps it, in ms. */
  readonly feedLeaseMs: number;
  /** Of everything else, in ms. */
  readonly leaseMs: number;
  /** However little has come to pass by then, it ends, in ms. */
  readonly atMostMs: number;
}

export const WHOLE: FenceSize = {
  customers: 800,
  rate: 200,
  records: 10_000,
  late: 500,
  heldPart: 0.12,
  feedLeaseMs: 5_000,
  leaseMs: 10_000,
  atMostMs: 900_000,
};

export const SMALL: FenceSize = {
  customers: 160,
  rate: 60,
  records: 2_000,
  late: 40,
  heldPart: 0.08,
  feedLeaseMs: 500,
  leaseMs: 1_000,
  atMostMs: 100_000,
};

/** When a lane gives up a send without an answer, in ms, as partner-sharing has it. */
export const givenUpAfter = ({ feedLeaseMs }: FenceSize): number => Math.max(500, 0.4 * feedLeaseMs);
