import type { Timer } from '../../deps.ts';
import type { CompileDeps } from '../../program/types.ts';
import type { RetryProgram } from '../../types.ts';
import { parseJwks, type Jwks } from './jwks.ts';
import { Status } from './status.ts';

/** Keys of a provider: there at once, or after a fetch. */
export interface KeySource {
  keys(): Jwks | Status | Promise<Jwks | Status>;
  /** Nobody has asked yet: what is fetched in the background is fetched from now on. */
  begin?(): void;
}

export function localKeys(jwks: Jwks | Status): KeySource {
  return { keys: () => jwks };
}

export interface RemoteKeys {
  readonly cluster: string;
  readonly uri: string;
  readonly timeout: number;
  readonly cacheDuration: number;
  /** Fetches again before the keys run out, so that requests never wait after the first. */
  readonly inBackground: boolean;
  readonly failedRefetch: number;
  /** What fetches are tried again for. */
  readonly retry: RetryProgram | undefined;
  readonly counters: KeyCounters;
}

/** How fetches of keys went, and how many tokens were known to be good, or not. */
export interface KeyCounters {
  readonly success: { value: number };
  readonly failed: { value: number };
  readonly missed: { value: number };
  readonly hit: { value: number };
}

/**
 * Fetched when first needed, kept for as long as configured. Requests that need them meanwhile wait for the one fetch.
 * Fetches in the background go on for as long as somebody holds the source.
 */
export function remoteKeys(config: RemoteKeys, deps: CompileDeps): KeySource {
  const { clock } = deps;
  let cached: Jwks | undefined;
  let expires = 0;
  let pending: Promise<Jwks | Status> | undefined;
  let next: Timer | undefined;

  const read = async (answer: ReturnType<CompileDeps['fetch']> & {}): Promise<Jwks | Status> => {
    try {
      const { status, body } = await answer;
      const jwks = status === 200 ? parseJwks(body) : '';
      return typeof jwks === 'string' ? Status.FetchFail : jwks;
    } catch {
      return Status.FetchFail;
    }
  };
  const take = (jwks: Jwks | Status): Jwks | Status => {
    pending = undefined;
    if (config.inBackground) again(typeof jwks === 'string' ? config.failedRefetch : refreshAfter(config));
    if (typeof jwks === 'string') {
      config.counters.failed.value++;
      return jwks;
    }
    config.counters.success.value++;
    cached = jwks;
    expires = clock.now() + config.cacheDuration;
    return jwks;
  };
  const refresh = (): void => {
    if (pending !== undefined) return;
    const { cluster, uri, timeout, retry } = config;
    const answer = deps.fetch({ cluster, uri, timeout, retry });
    if (answer === undefined) take(Status.FetchFail);
    else pending = read(answer).then(take);
  };
  const again = (ms: number): void => {
    next?.cancel();
    next = clock.after(ms, () => {
      if (held.deref() !== undefined) refresh();
    });
  };

  const source: KeySource = {
    keys() {
      if (cached !== undefined && (config.inBackground || clock.now() < expires)) return cached;
      refresh();
      return pending ?? Status.FetchFail;
    },
    begin() {
      if (config.inBackground && cached === undefined && next === undefined) refresh();
    },
  };
  const held = new WeakRef(source);
  return source;
}

/** Five seconds early, where there is room for it; without a pause the server of the keys would have nothing else to do. */
function refreshAfter({ cacheDuration }: RemoteKeys): number {
  return cacheDuration > 10_000 ? cacheDuration - 5000 : Math.max(cacheDuration, 1000);
}
