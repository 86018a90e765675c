import type { Random } from '../deps.ts';
import type { CircuitBreaker, ResponseHead, RouteActionProgram, UpstreamCluster } from '../types.ts';
import type { ResetReason } from './reset.ts';
import { parseRetryOn, RetryOn, retryOnGrpcStatus } from './retry.ts';
import type { ActiveStream } from './stream.ts';

/** `overflow`: the breaker for retries is open. `exhausted`: it would be retried, but no try is left. */
export type RetryVerdict = 'yes' | 'no' | 'overflow' | 'exhausted';

/** What a request may still be retried for, and how often. */
export class RetryState {
  #on: number;
  #left: number;
  #statusCodes: readonly number[];
  readonly #headers: readonly ((response: ResponseHead) => boolean)[];
  readonly #base: number;
  readonly #max: number;
  #tries = 0;
  #holding = false;
  readonly #cluster: UpstreamCluster;
  readonly #breaker: CircuitBreaker;

  /** Undefined when nothing is retried, whatever happens. Removes the fields by which a trusted client asked for retries. */
  static of(
    stream: ActiveStream,
    cluster: UpstreamCluster,
    action: RouteActionProgram,
    breaker: CircuitBreaker,
  ): RetryState | undefined {
    const { headers } = stream.request;
    let on = action.retry?.on ?? 0;
    let left = action.retry?.numRetries ?? 1;
    let wanted: readonly string[] = [];
    let codes = action.retry?.retriableStatusCodes ?? [];
    if (stream.mayCarryEnvoyFields) {
      on |= parseRetryOn(take(headers, 'x-envoy-retry-on') ?? '');
      on |= parseRetryOn(take(headers, 'x-envoy-retry-grpc-on') ?? '');
      const max = take(headers, 'x-envoy-max-retries');
      if (max !== undefined && /^\d{1,6}$/.test(max)) left = Number(max);
      const more = take(headers, 'x-envoy-retriable-status-codes');
      if (more !== undefined) codes = [...codes, ...more.split(',').map(Number).filter(Number.isInteger)];
      const names = take(headers, 'x-envoy-retriable-header-names');
      if (names !== undefined) wanted = names.split(',').map((name) => name.trim().toLowerCase());
      headers.remove('x-envoy-hedge-on-per-try-timeout');
      headers.remove('x-envoy-upstream-alt-stat-name');
      headers.remove('x-envoy-upstream-rq-timeout-alt-response');
    }
    if (on === 0 || left === 0) return undefined;
    const matchers = wanted.map(
      (name) =>
        (response: ResponseHead): boolean =>
          response.headers.has(name),
    );
    return new RetryState(
      on,
      left,
      codes,
      [...(action.retry?.retriableHeaders ?? []), ...matchers],
      action,
      cluster,
      breaker,
    );
  }

  private constructor(
    on: number,
    left: number,
    codes: readonly number[],
    matchers: readonly ((response: ResponseHead) => boolean)[],
    action: RouteActionProgram,
    cluster: UpstreamCluster,
    breaker: CircuitBreaker,
  ) {
    this.#on = on;
    this.#left = left;
    this.#statusCodes = codes;
    this.#headers = matchers;
    this.#base = action.retry?.backOffBase ?? 25;
    this.#max = action.retry?.backOffMax ?? 250;
    this.#cluster = cluster;
    this.#breaker = breaker;
  }

  onReset(reason: ResetReason, requestBegun: boolean): RetryVerdict {
    return this.#decide(this.#resetIsRetriable(reason, requestBegun));
  }

  onTryTimeout(): RetryVerdict {
    return this.#decide((this.#on & (RetryOn.reset | RetryOn['5xx'] | RetryOn['gateway-error'])) !== 0);
  }

  onResponse(head: ResponseHead, trailersOnly: boolean): RetryVerdict {
    const retriable = this.#responseIsRetriable(head, trailersOnly);
    if (!retriable && this.#tries > 0) this.#cluster.stats.upstream_rq_retry_success++;
    return this.#decide(retriable);
  }

  /** Milliseconds until the next attempt. */
  nextBackOff(random: Random): number {
    const ceiling = Math.min(this.#max, this.#base * (2 ** this.#tries - 1));
    return Math.floor(random.float() * ceiling);
  }

  /** Gives back what the breaker for retries counts. */
  release(): void {
    if (this.#holding) this.#breaker.releaseRetry();
    this.#holding = false;
  }

  #decide(retriable: boolean): RetryVerdict {
    this.release();
    if (!retriable) return 'no';
    const { stats } = this.#cluster;
    if (this.#left === 0) {
      stats.upstream_rq_retry_limit_exceeded++;
      return 'exhausted';
    }
    if (!this.#breaker.tryRetry()) {
      stats.upstream_rq_retry_overflow++;
      return 'overflow';
    }
    this.#holding = true;
    this.#left--;
    this.#tries++;
    stats.upstream_rq_retry++;
    return 'yes';
  }

  #resetIsRetriable(reason: ResetReason, requestBegun: boolean): boolean {
    const on = this.#on;
    if (reason === 'overflow') return false;
    if ((on & (RetryOn['5xx'] | RetryOn['gateway-error'] | RetryOn.reset)) !== 0) return true;
    if ((on & RetryOn['connect-failure']) !== 0) {
      if (reason === 'remote connection failure' || reason === 'connection timeout') return true;
    }
    return (on & RetryOn['reset-before-request']) !== 0 && !requestBegun;
  }

  #responseIsRetriable(head: ResponseHead, trailersOnly: boolean): boolean {
    const { status, headers } = head;
    const on = this.#on;
    const limited = headers.has('x-envoy-ratelimited');
    if (limited) return (on & RetryOn['envoy-ratelimited']) !== 0;
    if (status >= 500 && (on & RetryOn['5xx']) !== 0) return true;
    if (status >= 502 && status <= 504 && (on & RetryOn['gateway-error']) !== 0) return true;
    if (status === 409 && (on & RetryOn['retriable-4xx']) !== 0) return true;
    if ((on & RetryOn['retriable-status-codes']) !== 0 && this.#statusCodes.includes(status)) return true;
    if ((on & RetryOn['retriable-headers']) !== 0 && this.#headers.some((matches) => matches(head))) return true;
    if (trailersOnly) {
      const grpc = headers.get('grpc-status');
      if (grpc !== undefined) return (on & retryOnGrpcStatus(grpc)) !== 0;
    }
    return false;
  }
}

function take(headers: ActiveStream['request']['headers'], name: string): string | undefined {
  const value = headers.get(name);
  if (value !== undefined) headers.remove(name);
  return value;
}
