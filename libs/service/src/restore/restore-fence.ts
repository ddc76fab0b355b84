import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { Refused } from '@castiron/failures';

/** What stands on topics of a service's own and is not known to its database. */
export interface Gap {
  readonly topic: string;
  readonly records: number;
  /** By the broker's clock, RFC 3339. */
  readonly from: string;
  readonly until: string;
}

/** Why a service discloses nothing: `behind` its topics, or they were not read yet. */
export type FencedBecause =
  { readonly reason: 'behind'; readonly gaps: readonly Gap[]; readonly found?: string } | { readonly reason: 'unread' };

/** Where a handler says that it must not be called while the fence is up, though it changes nothing or takes away. */
export const STANDS_STILL_METADATA = 'castiron:stands-still';

/** This handler discloses, or handles what was told: not while a restored database has not caught up. */
export const StandsStillWhileFenced = (): CustomDecorator => SetMetadata(STANDS_STILL_METADATA, true);

/** Up from the start of a service until it is known that its database has all that it told others (G13). */
export class RestoreFence {
  private because: FencedBecause | undefined = { reason: 'unread' };

  /** undefined: it is down. */
  get state(): FencedBecause | undefined {
    return this.because;
  }

  raise(because: FencedBecause): void {
    this.because = because;
  }

  lower(): void {
    this.because = undefined;
  }

  /** @throws Refused unavailable */
  assertDown(): void {
    if (this.because === undefined) return;
    throw new Refused(
      this.because.reason === 'behind'
        ? {
            kind: 'unavailable',
            code: 'restored-and-fenced',
            detail:
              'This service was restored from a backup. Until what was taken back since is re-applied, only reading, revoking and erasing are possible.',
            promise: 'P8',
          }
        : {
            kind: 'unavailable',
            code: 'topics-not-read',
            detail:
              'It is not known yet whether this service was restored from a backup: only reading, revoking and erasing are possible.',
            promise: 'P8',
            retryAfter: 5,
          },
    );
  }
}
