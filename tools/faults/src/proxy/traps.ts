import type { Pipe } from './link.js';
import type { Point, Seen } from './points.js';

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
  private barred: { readonly points: ReadonlySet<Seen>; readonly waiting: Pipe[] } | undefined;

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

  /** Lets nobody past these points until what is returned is called. */
  bar(points: readonly Seen[]): () => void {
    const barred = (this.barred = { points: new Set(points), waiting: [] as Pipe[] });
    return () => {
      this.barred = undefined;
      for (const pipe of barred.waiting) pipe.letGo();
    };
  }

  /** Called for each point that is passed. @returns whether the frame is caught */
  pass(point: Seen, pipe: Pipe): boolean {
    if (this.barred?.points.has(point) === true) {
      this.barred.waiting.push(pipe);
      return true;
    }
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
