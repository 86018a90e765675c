import { BodyMode } from '../codec/parser.ts';
import type { RequestParser } from '../codec/request-parser.ts';
import type { ConnectionInfo } from '../types.ts';
import { Deadline } from './deadline.ts';
import { StreamRecord } from './info.ts';
import { turnNow } from './turn.ts';
import type { HcmRuntime } from './runtime.ts';
import type { StreamDeadlines } from './stream-deadlines.ts';

/** What is counted and said when a request takes too long to come. */
export const OF_HEAD = {
  stat: 'downstream_rq_header_timeout',
  body: 'request header timeout',
  details: 'request_header_timeout',
} as const;
export const OF_REQUEST = {
  stat: 'downstream_rq_timeout',
  body: 'request timeout',
  details: 'request_overall_timeout',
} as const;

/** How long the requests of a connection take to come, one after the other, from the first byte of their heads. */
export class RequestTimes {
  readonly #hcm: HcmRuntime;
  readonly #deadline: Deadline;
  /** Clock time at which the head at hand was begun and not completed; -1: there is none. */
  #headSince = -1;

  constructor(hcm: HcmRuntime, reached: () => void) {
    this.#hcm = hcm;
    this.#deadline = new Deadline(hcm.deps.clock, reached);
  }

  /** A head has begun and is not complete: from now on it is a request, whose time runs. */
  headBegins(deadlines: StreamDeadlines): void {
    if (this.#headSince >= 0) return;
    const { program, deps } = this.#hcm;
    const { requestHeadersTimeout, requestTimeout, streamIdleTimeout, maxStreamDuration } = program;
    const now = turnNow(deps.clock);
    this.#headSince = now;
    const timeout = sooner(requestHeadersTimeout, requestTimeout);
    if (timeout > 0) this.#deadline.set(now + timeout);
    if (streamIdleTimeout > 0) deadlines.idle.set(now + streamIdleTimeout);
    if (maxStreamDuration > 0) deadlines.duration.set(now + maxStreamDuration);
  }

  get headIsIncomplete(): boolean {
    return this.#headSince >= 0;
  }

  /** The record of the request at hand. */
  record(info: ConnectionInfo): StreamRecord {
    const { clock } = this.#hcm.deps;
    const now = turnNow(clock);
    const wall = clock.wall();
    const since = this.#headSince;
    if (since < 0) return new StreamRecord(info, now, wall);
    this.#headSince = -1;
    return new StreamRecord(info, since, wall - (now - since));
  }

  /** The head of a request that began at `start` is complete. */
  headEnds(start: number, { bodyMode }: RequestParser): void {
    const { requestTimeout } = this.#hcm.program;
    if (requestTimeout > 0 && bodyMode !== BodyMode.NONE && bodyMode !== BodyMode.UNTIL_CLOSE)
      this.#deadline.set(start + requestTimeout);
    else this.#deadline.clear();
  }

  requestEnds(): void {
    this.#deadline.clear();
  }

  /** What took too long of a request whose head is not complete. */
  get ofHead(): typeof OF_HEAD | typeof OF_REQUEST {
    const { requestHeadersTimeout, requestTimeout } = this.#hcm.program;
    // Of two that are over at once, that for all of the request counts.
    const isHead = requestHeadersTimeout > 0 && (requestTimeout === 0 || requestHeadersTimeout < requestTimeout);
    return isHead ? OF_HEAD : OF_REQUEST;
  }

  /** There will be no other request. */
  stop(): void {
    this.#deadline.stop();
  }
}

/** Of two limits the one that is reached first; 0: neither is there. */
function sooner(a: number, b: number): number {
  return a === 0 || (b > 0 && b < a) ? b : a;
}
