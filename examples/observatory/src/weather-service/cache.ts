import { LRUCache } from 'lru-cache';
import { Redis } from 'ioredis';

/** Keeps answers for ten minutes. */
export const SECONDS = 600;

export interface Cache {
  readonly name: string;
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  /** Throws when the cache cannot be used. */
  check(): Promise<void>;
  close(): void;
}

/** Of one process alone, and bounded. */
export function memory(now: () => number = () => performance.now()): Cache {
  const entries = new LRUCache<string, string>({ max: 1000, ttl: SECONDS * 1000, ttlResolution: 0, perf: { now } });
  return {
    name: 'memory',
    get: (key) => Promise.resolve(entries.get(key)),
    set(key, value) {
      entries.set(key, value);
      return Promise.resolve();
    },
    check: () => Promise.resolve(),
    close: () => {},
  };
}

/**
 * Shared by replicas. While Redis does not answer, each goes by what it has kept itself, so that the provider is not asked
 * more often for it. `onError` hears of each kind of failure once, until Redis is back.
 */
export function redis(url: string, onError: (error: Error) => void): Cache {
  const own = memory();
  const said = new Set<string>();
  const failed = (error: Error): void => {
    if (said.has(error.message)) return;
    said.add(error.message);
    onError(error);
  };
  const client = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: 1000,
    commandTimeout: 500,
    retryStrategy: (times) => Math.min(times * 200, 5000),
  });
  client.on('error', failed);
  client.on('ready', () => said.clear());
  return {
    name: 'redis',
    async get(key) {
      try {
        return (await client.get(key)) ?? undefined;
      } catch (error) {
        failed(error as Error);
        return own.get(key);
      }
    },
    async set(key, value) {
      await own.set(key, value);
      try {
        await client.set(key, value, 'EX', SECONDS);
      } catch (error) {
        failed(error as Error);
      }
    },
    async check() {
      await client.ping();
    },
    close: () => client.disconnect(),
  };
}
