import { readFileSync } from 'node:fs';
import type { Limits } from '@mizzen/ratelimit';
import { describeHolder, portHolder } from '@mizzen/runtime/supervisor/port-holder.ts';
import { list, text, UsageError, type Command } from '../command.ts';

export const command: Command = {
  name: 'ratelimit',
  usage: '--config FILE... [--redis URL]',
  summary: "Serves Envoy's rate limit API (global rate limits) over gRPC.",
  description:
    'Limits are files in the format of envoyproxy/ratelimit: a domain and its descriptors. Hits are counted in memory,\n' +
    'or in Redis where several services count together. SIGHUP reads the files again; when they are wrong, the limits\n' +
    'stay as they were.',
  flags: {
    config: { type: 'string', multiple: true, value: 'FILE', help: 'limits of a domain; may repeat' },
    redis: { type: 'string', value: 'URL', help: 'where hits are counted, e.g. redis://127.0.0.1:6379/0' },
    host: { type: 'string', value: 'ADDRESS', help: 'address to listen on (default 127.0.0.1)' },
    port: { type: 'string', value: 'PORT', help: 'port of the gRPC service (default 8081; 0 for any)' },
    'admin-port': { type: 'string', value: 'PORT', help: 'serves /healthcheck and /stats there; 0 for any' },
  },
  examples: [
    'mizzen ratelimit --config limits.yaml',
    'mizzen ratelimit --config limits.yaml --redis redis://127.0.0.1',
  ],
  async run({ positionals, values, out, err }) {
    if (positionals.length > 0) throw new UsageError(`\`${positionals[0]}\`: limits are named with --config`);
    const files = list(values, 'config');
    if (files.length === 0) throw new UsageError('no limits given', 'name a file with --config');
    const port = portOf('port', text(values, 'port') ?? '8081');
    const admin = text(values, 'admin-port');
    const adminPort = admin === undefined ? undefined : portOf('admin-port', admin);
    const redis = redisUrl(text(values, 'redis'));
    const say = (message: string): void => void err.write(`mizzen: ${message}\n`);
    const { ConfigError, ListenError, MemoryCounters, readLimits, startRateLimitServer } =
      await import('@mizzen/ratelimit');
    /** Undefined: something is wrong, and has been said. */
    const read = (): Limits | undefined => {
      try {
        return readLimits(files.map((name) => ({ name, text: textOf(name) })));
      } catch (error) {
        for (const problem of error instanceof ConfigError ? error.problems : [(error as Error).message]) say(problem);
        return undefined;
      }
    };
    const limits = read();
    if (limits === undefined) return 1;
    const now = (): number => Date.now() / 1000;
    const counters =
      redis === undefined
        ? new MemoryCounters(now)
        : new (await import('@mizzen/ratelimit/redis.ts')).RedisCounters(redis, (message) => say(`redis: ${message}`));
    let server;
    try {
      const host = text(values, 'host') ?? '127.0.0.1';
      server = await startRateLimitServer({ limits, counters, host, port, adminPort, now, onError: say });
    } catch (error) {
      await counters.close();
      if (!(error instanceof ListenError && error.taken)) say((error as Error).message);
      else {
        const flag = error.what === 'port' ? '--port' : '--admin-port';
        const holder = describeHolder(portHolder(error.port, error.host));
        say(`port ${error.port} is taken by ${holder}; choose another with ${flag}`);
      }
      return 1;
    }
    out.write(`rate limits of ${[...limits.keys()].join(', ')} on port ${server.port}\n`);
    if (server.adminPort !== undefined) out.write(`counters on port ${server.adminPort}\n`);
    process.on('SIGHUP', () => {
      const next = read();
      if (next !== undefined) server.setLimits(next);
      say(next === undefined ? 'the limits stay as they were' : 'limits read again');
    });
    await new Promise<void>((done) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
    });
    await server.stop();
    return 0;
  },
};

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`\`${file}\` cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function redisUrl(value: string | undefined): string | undefined {
  if (value === undefined || /^rediss?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw new UsageError(`--redis: \`${value}\` is not a URL of Redis`, 'for example redis://127.0.0.1:6379/0');
}

function portOf(flag: string, value: string): number {
  if (!/^\d+$/.test(value) || Number(value) > 65_535) throw new UsageError(`--${flag}: \`${value}\` is not a port`);
  return Number(value);
}
