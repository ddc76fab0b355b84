import type { Pipe } from './link.js';
import type { Point } from './points.js';

/** A frame kept back at a point, and whose it is. */
export interface Caught {
  readonly replica: string;
  readonly pipe: Pipe;
}

interface Trap {
  readonly point: Point;
  readonly among: ReadonlySet<string>;
  passing: number;
  readonly spring: (caught: Caught) => void;
}

/** Waits at points for the next replica that comes by. */
export class Traps {
  private readonly armed = new Set<Trap>();

  /**
   * The first of these replicas that comes to the point, after some were let pass; undefined where none came in time.
   * Whoever catches must let go, cut or kill.
   */
  catch(
    point: Point,
    among: readonly string[],
    options: { letPass: number; within: number },
  ): Promise<Caught | undefined> {
    return new Promise((resolve) => {
      const trap: Trap = {
        point,
        among: new Set(among),
        passing: options.letPass,
        spring: (caught) => {
          clearTimeout(timer);
          this.armed.delete(trap);
          resolve(caught);
        },
      };
      const timer = setTimeout(() => {
        this.armed.delete(trap);
        resolve(undefined);
      }, options.within);
      this.armed.add(trap);
    });
  }

  /** Called for each point that is passed. @returns whether the frame is caught */
  pass(point: Point, pipe: Pipe): boolean {
    const replica = pipe.link.owner;
    for (const trap of this.armed) {
      if (trap.point !== point || !trap.among.has(replica)) continue;
      if (trap.passing > 0) {
        trap.passing -= 1;
        continue;
      }
      trap.spring({ replica, pipe });
      return true;
    }
    return false;
  }
}
