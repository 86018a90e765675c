import { Redis } from 'ioredis';
import type { Window, WindowCounters } from './counters.ts';

/** In Redis, for many services that count together. One round trip a request. */
export class RedisCounters implements WindowCounters {
  readonly #redis: Redis;

  /** `onError` hears of connections that fail; requests fail too while there is none. */
  constructor(url: string, onError: (message: string) => void) {
    this.#redis = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: true, connectTimeout: 2000 });
    this.#redis.on('error', (error: Error) => onError(error.message));
  }

  async add(windows: readonly Window[]): Promise<readonly number[]> {
    const pipeline = this.#redis.pipeline();
    for (const { key, hits, seconds } of windows) pipeline.incrby(key, hits).expire(key, seconds);
    const results = (await pipeline.exec()) ?? [];
    return windows.map((_, i) => {
      const [error, value] = results[2 * i] ?? [new Error('no answer'), undefined];
      if (error !== null) throw error;
      return Number(value);
    });
  }

  close(): Promise<void> {
    this.#redis.disconnect();
    return Promise.resolve();
  }
}
