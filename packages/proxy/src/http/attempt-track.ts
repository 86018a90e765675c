import type { ResponseParser } from '../codec/response-parser.ts';
import { percentOf, type Tracked } from '../telemetry/tracked.ts';
import type { RequestHead } from '../types.ts';

/** `:status`, with the three digits of one. */
const STATUS_BYTES = ':status'.length + 3;

/** Counts how large one attempt and its answer are, and what of its time it needed. */
export class AttemptTrack {
  readonly #tracked: Tracked;
  readonly #started: number;
  #requestBytes = 0;
  #responseBytes = 0;
  /** Those of interim answers too; 0: there was no answer. */
  #fields = 0;
  #fieldBytes = 0;
  #timed = true;

  constructor(tracked: Tracked, now: number) {
    this.#tracked = tracked;
    this.#started = now;
  }

  sent(bytes: number): void {
    this.#requestBytes += bytes;
  }

  /** Of a line, colon, blank and end count for nothing. */
  responded({ fieldCount, fieldBytes, status, contentLength }: ResponseParser): void {
    // What has no body has no length either.
    if (contentLength === 0 && (status < 200 || status === 204)) {
      this.#fields--;
      this.#fieldBytes -= 'content-length: 0'.length - 2;
    }
    this.#fields += 1 + fieldCount;
    this.#fieldBytes += STATUS_BYTES + (fieldCount === 0 ? 0 : fieldBytes - 3 * fieldCount);
  }

  received(bytes: number): void {
    this.#responseBytes += bytes;
  }

  /** The request's whole time is over: this says nothing of its own. */
  untimed(): void {
    this.#timed = false;
  }

  ended({ method, path, authority, scheme, headers }: RequestHead, perTry: number, now: number): void {
    const { budgets, sizes } = this.#tracked;
    if (budgets !== undefined && this.#timed)
      budgets.upstream_rq_timeout_budget_per_try_percent_used.record(percentOf(now - this.#started, perTry));
    if (sizes === undefined) return;
    const { flat } = headers;
    const own = [':method', method, ':authority', authority];
    // What CONNECT asks for has neither.
    if (path !== '') own.push(':path', path, ':scheme', scheme);
    sizes.upstream_rq_headers_size.record(lengthOf(own) + lengthOf(flat));
    sizes.upstream_rq_headers_count.record((own.length + flat.length) / 2);
    sizes.upstream_rq_body_size.record(this.#requestBytes);
    if (this.#fields === 0) return;
    sizes.upstream_rs_headers_size.record(this.#fieldBytes);
    sizes.upstream_rs_headers_count.record(this.#fields);
    sizes.upstream_rs_body_size.record(this.#responseBytes);
  }
}

function lengthOf(texts: readonly string[]): number {
  let length = 0;
  for (const text of texts) length += text.length;
  return length;
}
