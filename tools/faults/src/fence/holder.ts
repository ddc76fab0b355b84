import type { Random } from '../plan/random.js';
import type { Gate, Pipe } from '../proxy/link.js';
import { givenUpAfter, type FenceSize } from './sizes.js';

/** Later than the lane gives a send up, by so many ms at most: before its successor has settled, and long after. */
export const LATER_MS = 2_500;

/** Keeps some of what is sent to feeds back in the network, until its sender has given it up; then it arrives all the same. */
export class Holder {
  /** Arrived after their lane had given them up: the broker is to refuse them. */
  late = 0;
  private isEnded = false;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly size: FenceSize,
    private readonly random: Random,
  ) {}

  readonly gate: Gate = (point, pipe) => {
    if (this.isEnded || point !== 'before-feed-send' || this.random.fraction() >= this.size.heldPart) return false;
    this.keep(pipe);
    return true;
  };

  /** What is held up arrives at once, and nothing more is held up. */
  end(): void {
    this.isEnded = true;
    for (const arrive of this.waiting) arrive();
  }

  private keep(pipe: Pipe): void {
    const { link } = pipe;
    link.outlive();
    const ms = givenUpAfter(this.size) + this.random.between(0, LATER_MS);
    const arrive = (): void => {
      clearTimeout(timer);
      this.waiting.delete(arrive);
      if (link.isGivenUp) {
        this.late += 1;
        link.arrive();
      } else pipe.letGo();
    };
    const timer = setTimeout(arrive, ms);
    this.waiting.add(arrive);
  }
}
