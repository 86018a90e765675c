import { createServer, type Server as HttpServer } from 'node:http';
import { isIPv6, type AddressInfo } from 'node:net';
import { logVerbosity, Server, ServerCredentials, setLogVerbosity, status, type ServiceError } from '@grpc/grpc-js';
import { decode, encode } from '@mizzen/xds/binary/index.ts';
import type { Limits } from './config.ts';
import type { WindowCounters } from './counters.ts';
import { RequestError } from './find.ts';
import { shouldRateLimit, type RateLimitRequest, type RateLimitResponse } from './service.ts';
import { Stats } from './stats.ts';

export interface RateLimitServerOptions {
  readonly limits: Limits;
  readonly counters: WindowCounters;
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  /** For `/healthcheck` and `/stats`; undefined: not served. */
  readonly adminPort: number | undefined;
  /** Seconds since the epoch. */
  readonly now: () => number;
  /** Counting failed; the client was told so. */
  readonly onError: (message: string) => void;
}

export interface RateLimitServer {
  readonly port: number;
  readonly adminPort: number | undefined;
  readonly stats: Stats;
  setLimits(limits: Limits): void;
  stop(): Promise<void>;
}

/** A port cannot be listened on. */
export class ListenError extends Error {
  readonly host: string;
  readonly port: number;
  readonly what: 'port' | 'adminPort';
  /** Something else listens there. */
  readonly taken: boolean;

  constructor(options: Pick<RateLimitServerOptions, 'host'>, what: 'port' | 'adminPort', port: number, cause: Error) {
    super(`cannot listen on ${place(options.host, port)}: ${cause.message}`, { cause });
    this.host = options.host;
    this.port = port;
    this.what = what;
    this.taken = cause.message.includes('EADDRINUSE');
  }
}

type Done = (error: Partial<ServiceError> | null, response?: RateLimitResponse) => void;

const PATH = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
const REQUEST = 'envoy.service.ratelimit.v3.RateLimitRequest';
const RESPONSE = 'envoy.service.ratelimit.v3.RateLimitResponse';

/** Serves Envoy's rate limit API over gRPC without TLS. Rejects with a ListenError; nothing listens then. */
export async function startRateLimitServer(options: RateLimitServerOptions): Promise<RateLimitServer> {
  // It would say on its own what is thrown here.
  setLogVerbosity(logVerbosity.NONE);
  let { limits } = options;
  const stats = new Stats();
  const answer = async (request: RateLimitRequest, done: Done): Promise<void> => {
    let response: RateLimitResponse;
    try {
      response = await shouldRateLimit(request, limits, options.counters, stats, options.now());
    } catch (error) {
      const { message } = error as Error;
      if (!(error instanceof RequestError)) options.onError(message);
      done({ code: status.UNKNOWN, details: message });
      return;
    }
    done(null, response);
  };
  const server = new Server();
  server.addService(
    {
      shouldRateLimit: {
        path: PATH,
        requestStream: false,
        responseStream: false,
        requestSerialize: (request: object) => Buffer.from(encode(REQUEST, request)),
        requestDeserialize: (bytes: Buffer) => decode(REQUEST, bytes) as RateLimitRequest,
        responseSerialize: (response: RateLimitResponse) => Buffer.from(encode(RESPONSE, response)),
        responseDeserialize: (bytes: Buffer) => decode(RESPONSE, bytes),
      },
    },
    {
      shouldRateLimit: (call: { readonly request: RateLimitRequest }, done: Done): void => {
        void answer(call.request, done);
      },
    },
  );
  const { host, adminPort } = options;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(place(host, options.port), ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new ListenError(options, 'port', options.port, error));
    });
  });
  let admin: HttpServer | undefined;
  try {
    admin = adminPort === undefined ? undefined : await serveAdmin(host, adminPort, stats);
  } catch (error) {
    server.forceShutdown();
    throw new ListenError(options, 'adminPort', adminPort ?? 0, error as Error);
  }
  return {
    port,
    adminPort: admin === undefined ? undefined : (admin.address() as AddressInfo).port,
    stats,
    setLimits: (next) => {
      limits = next;
    },
    stop: async () => {
      admin?.close();
      admin?.closeAllConnections();
      server.forceShutdown();
      await options.counters.close();
    },
  };
}

function place(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function serveAdmin(host: string, port: number, stats: Stats): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '');
    const body = path === '/healthcheck' ? 'OK' : path === '/stats' ? stats.text() : undefined;
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'text/plain' });
    response.end(body ?? 'not found: /healthcheck and /stats are served\n');
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
