import type { Clock } from '../deps.ts';
import { Deadline } from './deadline.ts';
import type { ActiveStream } from './stream.ts';

/** The deadlines of whatever stream a connection has under way; one stream's after the other's. */
export class StreamDeadlines {
  readonly route: Deadline;
  readonly try: Deadline;
  readonly idle: Deadline;
  readonly duration: Deadline;

  constructor(clock: Clock, of: { readonly stream: ActiveStream | undefined }) {
    this.route = new Deadline(clock, () => of.stream?.onRouteTimeout());
    this.try = new Deadline(clock, () => of.stream?.onTryTimeout());
    this.idle = new Deadline(clock, () => of.stream?.onIdleTimeout());
    this.duration = new Deadline(clock, () => of.stream?.onMaxDuration());
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
