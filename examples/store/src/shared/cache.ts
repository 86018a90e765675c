import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { optional } from './optional.ts';

/** What was found lately. Nothing depends on it: what is not in it is looked up, also when it does not answer. */
export interface Cache {
  get(key: string): Promise<object | undefined>;
  set(key: string, value: object): Promise<void>;
  /** Rejects when it does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface CacheOptions {
  readonly ttlMs: number;
  /** Before every key, so that services and versions can share one Redis. */
  readonly prefix: string;
}

/** In the memory of this process, or in the Redis that `url` names, which all replicas share. */
export function openCache(url: string | undefined, options: CacheOptions, log: Logger): Cache {
  if (url === undefined || url === '') return inMemory(options);
  if (!/^rediss?:/.test(url))
    throw new Error(`REDIS_URL ${url.split(':')[0]}: is not supported; use redis://HOST:PORT`);
  return inRedis(url, options, log);
}

function inMemory({ ttlMs }: CacheOptions): Cache {
  const entries = new LRUCache<string, object>({ max: 1000, ttl: ttlMs });
  return {
    get: async (key) => entries.get(key),
    set: async (key, value) => void entries.set(key, value),
    ping: async () => undefined,
    close: async () => entries.clear(),
  };
}

const ANSWER_MS = 250;

function inRedis(url: string, { ttlMs, prefix }: CacheOptions, log: Logger): Cache {
  const connecting = connect(url, log);
  connecting.catch((error: unknown) => log.error({ err: error }, 'no cache'));
  let failing = false;
  const attempt = async <T>(run: (client: Client) => Promise<T>): Promise<T | undefined> => {
    try {
      const answer = await run(await connecting);
      failing = false;
      return answer;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'the cache does not answer');
      failing = true;
      return undefined;
    }
  };
  return {
    async get(key) {
      const text = await attempt((client) => client.get(`${prefix}${key}`));
      return typeof text === 'string' ? (JSON.parse(text) as object) : undefined;
    },
    async set(key, value) {
      await attempt((client) => client.set(`${prefix}${key}`, JSON.stringify(value), { PX: ttlMs }));
    },
    async ping() {
      await (await connecting).ping();
    },
    async close() {
      (await connecting.catch(() => undefined))?.destroy();
    },
  };
}

type Client = Awaited<ReturnType<typeof connect>>;

async function connect(url: string, log: Logger) {
  const { createClient } = await optional(() => import('redis'), 'redis', 'REDIS_URL');
  const client = createClient({
    url,
    // A command that cannot be sent fails at once: the database has the answer, too.
    disableOfflineQueue: true,
    commandOptions: { timeout: ANSWER_MS },
    socket: { connectTimeout: 2000, reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, 2000) },
  });
  client.on('error', (error: Error) => log.debug({ err: error }, 'redis'));
  // It goes on trying by itself; commands fail until it has a connection.
  client.connect().catch((error: unknown) => log.debug({ err: error }, 'redis'));
  return client;
}
