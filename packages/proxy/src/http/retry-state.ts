import type { Clock, Random } from '../deps.ts';
import {
  ResponseFlag,
  type CircuitBreaker,
  type RequestHead,
  type ResponseHead,
  type RetryProgram,
  type RouteActionProgram,
  type UpstreamCluster,
} from '../types.ts';
import type { RequestGroup } from '../telemetry/request-groups.ts';
import { responseHeader } from '../program/match/header.ts';
import type { ResetReason } from './reset.ts';
import { GRPC_CONDITIONS, parseRetryOn, RetryOn, retryOnGrpcStatus } from './retry.ts';
import type { ActiveStream } from './stream.ts';
import { readUnsigned, readUnsigned64 } from './unsigned.ts';

/** `overflow`: the breaker for retries is open. `exhausted`: it would be retried, but no try is left. */
export type RetryVerdict = 'yes' | 'no' | 'overflow' | 'exhausted';

/** What a request whose attempt is not followed by another for that reason is flagged with. */
export function flagOf(verdict: RetryVerdict): number {
  return verdict === 'overflow' ? ResponseFlag.UO : verdict === 'exhausted' ? ResponseFlag.URX : 0;
}

const TOO_EARLY = 425;

/** What a request may still be retried for, and how often. */
export class RetryState {
  #on: number;
  #left: number;
  #statusCodes: readonly number[];
  readonly #headers: readonly ((response: ResponseHead) => boolean)[];
  readonly #base: number;
  readonly #max: number;
  readonly #policy: RetryProgram | undefined;
  /** What the last response asked to be waited for. */
  #reset: number | undefined;
  /** The last response was one that is asked again for without waiting. */
  #atOnce = false;
  /** The client sent the request before its handshake was over (`early-data`): 425 is for it to hear. */
  readonly #early: boolean;
  /** The wait is as long as the last response asked for. */
  #waitsAsTold = false;
  #tries = 0;
  /** An attempt was made because of one before, and has not succeeded yet. */
  #retried = false;
  #holding = false;
  readonly #cluster: UpstreamCluster;
  readonly #breaker: CircuitBreaker;
  readonly #groups: readonly RequestGroup[] | undefined;

  /** Undefined when nothing is retried, whatever happens. Removes the fields by which a trusted client asked for retries. */
  static of(
    stream: ActiveStream,
    cluster: UpstreamCluster,
    action: RouteActionProgram,
    breaker: CircuitBreaker,
    groups: readonly RequestGroup[] | undefined,
  ): RetryState | undefined {
    const { headers } = stream.request;
    const policy = action.retry;
    let on = policy?.on ?? 0;
    let left = policy?.numRetries ?? 1;
    let wanted: readonly string[] = [];
    let codes = policy?.retriableStatusCodes ?? [];
    if (stream.mayCarryEnvoyFields && asksForRetries(headers)) {
      on |= parseRetryOn(take(headers, 'x-envoy-retry-on') ?? '') & ~GRPC_CONDITIONS;
      on |= parseRetryOn(take(headers, 'x-envoy-retry-grpc-on') ?? '') & GRPC_CONDITIONS;
      const max = readUnsigned64(take(headers, 'x-envoy-max-retries') ?? '');
      if (max !== undefined) left = Number(BigInt.asUintN(32, max));
      const more = take(headers, 'x-envoy-retriable-status-codes');
      if (more !== undefined) codes = [...codes, ...more.split(',').map((code) => readUnsigned(code) ?? NaN)];
      const names = take(headers, 'x-envoy-retriable-header-names');
      if (names !== undefined) wanted = names.split(',').map((name) => name.trim().toLowerCase());
    }
    if (on === 0) return undefined;
    const { runtime } = stream.hcm.program.router;
    if (runtime !== undefined && stream.hcm.deps.random.float() >= runtime.useRetry.value) return undefined;
    const onlyFor = policy?.retriableRequestHeaders ?? [];
    if (onlyFor.length > 0 && !onlyFor.some((matches) => matches(stream.request))) return undefined;
    const matchers = wanted.map(
      (name) =>
        (response: ResponseHead): boolean =>
          responseHeader(response, name) !== undefined,
    );
    return new RetryState(
      on,
      left,
      codes,
      [...(policy?.retriableHeaders ?? []), ...matchers],
      action,
      cluster,
      breaker,
      runtime?.baseBackOff.value ?? 25,
      groups,
      headers.has('early-data'),
    );
  }

  /** Of requests that the proxy makes of its own accord, by a policy alone. */
  static ofPolicy(
    policy: RetryProgram,
    request: RequestHead,
    cluster: UpstreamCluster,
    breaker: CircuitBreaker,
  ): RetryState | undefined {
    const { on, numRetries, retriableStatusCodes: codes, retriableRequestHeaders: onlyFor } = policy;
    if (on === 0) return undefined;
    if (onlyFor.length > 0 && !onlyFor.some((matches) => matches(request))) return undefined;
    const matchers = policy.retriableHeaders;
    const early = request.headers.has('early-data');
    return new RetryState(on, numRetries, codes, matchers, { retry: policy }, cluster, breaker, 25, undefined, early);
  }

  private constructor(
    on: number,
    left: number,
    codes: readonly number[],
    matchers: readonly ((response: ResponseHead) => boolean)[],
    action: Pick<RouteActionProgram, 'retry'>,
    cluster: UpstreamCluster,
    breaker: CircuitBreaker,
    base: number,
    groups: readonly RequestGroup[] | undefined,
    early: boolean,
  ) {
    this.#early = early;
    this.#on = on;
    this.#left = left;
    this.#statusCodes = codes;
    this.#headers = matchers;
    this.#base = action.retry?.backOffBase ?? base;
    this.#policy = action.retry;
    this.#max = action.retry?.backOffMax ?? this.#base * 10;
    this.#cluster = cluster;
    this.#breaker = breaker;
    this.#groups = groups;
  }

  onReset(reason: ResetReason, requestBegun: boolean): RetryVerdict {
    return this.#decide(this.#resetIsRetriable(reason, requestBegun));
  }

  onTryTimeout(): RetryVerdict {
    return this.#decide((this.#on & (RetryOn.reset | RetryOn['5xx'] | RetryOn['gateway-error'])) !== 0);
  }

  /** Another attempt beside one that takes too long, whatever is retried otherwise. */
  onSlow(): RetryVerdict {
    return this.#decide(true);
  }

  /** The answer of an attempt that another was made beside: nothing more comes of it, whatever it is. */
  ofSlow(head: ResponseHead): RetryVerdict {
    return this.#responseIsRetriable(head) ? 'exhausted' : 'no';
  }

  onResponse(head: ResponseHead, clock: Clock): RetryVerdict {
    const retriable = this.#responseIsRetriable(head);
    // The upstream would not take it as early data, which the next attempt is not.
    this.#atOnce = retriable && head.status === TOO_EARLY && this.#isListed(TOO_EARLY);
    if (retriable && this.#policy !== undefined) this.#reset = resetInterval(this.#policy, head, clock);
    return this.#decide(retriable);
  }

  /** What has come of the attempt is not tried again for: that of another one is a success, whatever it is. */
  succeeded(): void {
    if (this.#retried) this.#count('upstream_rq_retry_success');
    this.#retried = false;
  }

  /** Milliseconds until the next attempt. */
  nextBackOff(random: Random): number {
    if (this.#atOnce) return 0;
    const reset = this.#reset;
    this.#reset = undefined;
    this.#waitsAsTold = reset !== undefined && reset > 1;
    if (reset !== undefined && reset > 1) return reset + Math.floor(random.float() * Math.floor(reset / 2));
    const ceiling = Math.min(this.#max, this.#base * (2 ** this.#tries - 1));
    return Math.floor(random.float() * ceiling);
  }

  /** The wait is over, and another attempt begins. */
  begins(): void {
    const { stats } = this.#cluster;
    if (this.#atOnce) this.#atOnce = false;
    else if (this.#waitsAsTold) stats.upstream_rq_retry_backoff_ratelimited++;
    else stats.upstream_rq_retry_backoff_exponential++;
    this.#count('upstream_rq_retry');
  }

  /** Gives back what the breaker for retries counts. */
  release(): void {
    if (this.#holding) this.#breaker.releaseRetry();
    this.#holding = false;
  }

  #count(name: keyof RequestGroup & `upstream_rq_retry${string}`): void {
    this.#cluster.stats[name]++;
    if (this.#groups !== undefined) for (const group of this.#groups) group[name]++;
  }

  #decide(retriable: boolean): RetryVerdict {
    this.release();
    if (!retriable) {
      this.succeeded();
      return 'no';
    }
    if (this.#left === 0) {
      this.#count('upstream_rq_retry_limit_exceeded');
      return 'exhausted';
    }
    this.#left--;
    if (!this.#breaker.tryRetry()) {
      this.#count('upstream_rq_retry_overflow');
      return 'overflow';
    }
    this.#holding = true;
    this.#tries++;
    this.#retried = true;
    return 'yes';
  }

  #resetIsRetriable(reason: ResetReason, requestBegun: boolean): boolean {
    const on = this.#on;
    if (reason === 'overflow') return false;
    if ((on & (RetryOn['5xx'] | RetryOn['gateway-error'] | RetryOn.reset)) !== 0) return true;
    if ((on & RetryOn['connect-failure']) !== 0) {
      if (reason.endsWith('connection failure') || reason === 'connection timeout') return true;
    }
    return (on & RetryOn['reset-before-request']) !== 0 && !requestBegun;
  }

  #isListed(status: number): boolean {
    if ((this.#on & RetryOn['retriable-status-codes']) === 0 || !this.#statusCodes.includes(status)) return false;
    return status !== TOO_EARLY || !this.#early;
  }

  #responseIsRetriable(head: ResponseHead): boolean {
    const { status, headers } = head;
    const on = this.#on;
    const limited = headers.has('x-envoy-ratelimited');
    if (limited) return (on & RetryOn['envoy-ratelimited']) !== 0;
    if (status >= 500 && status < 600 && (on & RetryOn['5xx']) !== 0) return true;
    if (status >= 502 && status <= 504 && (on & RetryOn['gateway-error']) !== 0) return true;
    if (status === 409 && (on & RetryOn['retriable-4xx']) !== 0) return true;
    if (this.#isListed(status)) return true;
    if ((on & RetryOn['retriable-headers']) !== 0 && this.#headers.some((matches) => matches(head))) return true;
    if ((on & GRPC_CONDITIONS) === 0) return false;
    const grpc = headers.get('grpc-status');
    return grpc !== undefined && (on & retryOnGrpcStatus(grpc)) !== 0;
  }
}

/** Nearly no request does, be it full of other fields of Envoy's. */
function asksForRetries({ flat }: { readonly flat: readonly string[] }): boolean {
  for (let i = 0; i < flat.length; i += 2) {
    switch (flat[i]) {
      case 'x-envoy-retry-on':
      case 'x-envoy-retry-grpc-on':
      case 'x-envoy-max-retries':
      case 'x-envoy-retriable-status-codes':
      case 'x-envoy-retriable-header-names':
        return true;
    }
  }
  return false;
}

function take(headers: ActiveStream['request']['headers'], name: string): string | undefined {
  const value = headers.get(name);
  if (value !== undefined) headers.remove(name);
  return value;
}

/** Milliseconds that a response asks to be left alone; undefined when it does not, or asks for more than is granted. */
function resetInterval(policy: RetryProgram, head: ResponseHead, clock: Clock): number | undefined {
  for (const { name, unixTime } of policy.resetHeaders) {
    const told = readUnsigned64(head.headers.get(name) ?? '');
    if (told === undefined) continue;
    // In whole seconds of the clock.
    const seconds = unixTime ? told - BigInt(Math.trunc(clock.wall() / 1000)) : told;
    if (seconds < 0n) continue;
    const ms = Number(BigInt.asUintN(64, seconds * 1000n));
    if (ms <= policy.resetMax) return ms;
  }
  return undefined;
}
