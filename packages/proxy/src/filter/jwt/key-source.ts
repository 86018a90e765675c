import type { Clock } from '../../deps.ts';
import type { CompileDeps } from '../../program/types.ts';
import { parseJwks, type Jwks } from './jwks.ts';
import { Status } from './status.ts';

/** Keys of a provider: there at once, or after a fetch. */
export interface KeySource {
  keys(): Jwks | Status | Promise<Jwks | Status>;
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
  readonly counters: KeyCounters;
}

/** How fetches of keys went, and how many tokens had not been seen before: none are kept. */
export interface KeyCounters {
  readonly success: { value: number };
  readonly failed: { value: number };
  readonly missed: { value: number };
}

/** Fetched when first needed, kept for as long as configured. Requests that need them meanwhile wait for the one fetch. */
export function remoteKeys(config: RemoteKeys, deps: CompileDeps): KeySource {
  const { clock } = deps;
  let cached: Jwks | undefined;
  let expires = 0;
  let pending: Promise<Jwks | Status> | undefined;

  const fetchOnce = async (): Promise<Jwks | Status> => {
    try {
      const { status, body } = await deps.fetch({ cluster: config.cluster, uri: config.uri, timeout: config.timeout });
      return status === 200 ? parseJwks(body.toString('utf8')) : Status.FetchFail;
    } catch {
      return Status.FetchFail;
    }
  };
  const fetch = async (): Promise<Jwks | Status> => {
    const jwks = await fetchOnce();
    pending = undefined;
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
    pending ??= fetch();
    if (config.inBackground)
      void pending.then((result) =>
        again(clock, typeof result === 'string' ? config.failedRefetch : refreshAfter(config)),
      );
  };
  const again = (on: Clock, ms: number): void => {
    on.after(ms, refresh);
  };

  return {
    keys() {
      if (cached !== undefined && (config.inBackground || clock.now() < expires)) return cached;
      refresh();
      return pending ?? Status.FetchFail;
    },
  };
}

/** Five seconds early, where there is room for it. */
function refreshAfter(config: RemoteKeys): number {
  return config.cacheDuration > 10_000 ? config.cacheDuration - 5000 : config.cacheDuration;
}
