import type { RecoveryLog } from './recovery.js';

/** From what was published last, less what the relay lagged at most, until the database was lost: nobody has what was answered then. */
export interface Window {
  /** RFC 3339. */
  readonly from: string;
  readonly lagMs: number;
}

export interface RecoveryReport {
  readonly dryRun: boolean;
  /** How many of what. */
  readonly counts: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
  /** What of the lost time stands on no topic; undefined where nothing was lost. */
  readonly window?: Window;
}

export interface RecoveryState extends RecoveryReport {
  readonly state: 'running' | 'done' | 'failed';
  readonly phase: string;
}

/** One run, as it is watched. */
export class RecoveryRun implements RecoveryLog {
  private readonly counts: Record<string, number> = {};
  private readonly notes: string[] = [];
  private current = 'beginning';
  private ended: RecoveryState['state'] = 'running';
  window: Window | undefined;

  constructor(readonly dryRun: boolean) {}

  phase(what: string): void {
    this.current = what;
  }

  count(what: string, by = 1): void {
    if (by > 0) this.counts[what] = (this.counts[what] ?? 0) + by;
  }

  note(text: string): void {
    this.notes.push(text);
  }

  end(state: 'done' | 'failed'): void {
    this.ended = state;
  }

  get isRunning(): boolean {
    return this.ended === 'running';
  }

  report(): RecoveryReport {
    const { dryRun, counts, notes, window } = this;
    return { dryRun, counts: { ...counts }, notes: [...notes], ...(window && { window }) };
  }

  state(): RecoveryState {
    return { ...this.report(), state: this.ended, phase: this.current };
  }
}
