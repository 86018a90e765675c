import type { Clock } from '../deps.ts';
import { Deadline } from './deadline.ts';
import type { ActiveStream } from './stream.ts';

/** Whose deadlines they are: a connection. */
export interface StreamOwner {
  readonly stream: ActiveStream | undefined;
  /** The stream of a head that has begun and is not complete; undefined: there is no such head. */
  streamOfHead(): ActiveStream | undefined;
}

/** The deadlines of whatever stream a connection has under way; one stream's after the other's. */
export class StreamDeadlines {
  readonly route: Deadline;
  readonly try: Deadline;
  readonly idle: Deadline;
  readonly duration: Deadline;

  constructor(clock: Clock, of: StreamOwner) {
    this.route = new Deadline(clock, () => of.stream?.onRouteTimeout());
    this.try = new Deadline(clock, () => of.stream?.onTryTimeout());
    this.idle = new Deadline(clock, () => {
      const stream = of.stream ?? of.streamOfHead();
      // Of two that are over at once, that for all of the stream counts.
      if (this.duration.due) stream?.onMaxDuration();
      else stream?.onIdleTimeout();
    });
    this.duration = new Deadline(clock, () => (of.stream ?? of.streamOfHead())?.onMaxDuration());
  }

  /** For the next stream. */
  clear(): void {
    this.route.clear();
    this.try.clear();
    this.idle.clear();
    this.duration.clear();
  }

  /** There will be no other stream. */
  stop(): void {
    this.route.stop();
    this.try.stop();
    this.idle.stop();
    this.duration.stop();
  }
}
