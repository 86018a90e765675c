import type { Client } from './client/types.ts';
import type { Clock } from './deps.ts';
import type { Dialer } from './net/dialer.ts';
import type { GrpcSource, Protocol } from './scenario/types.ts';

export interface ClientOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  /** HTTP/1.1: at most so many to an origin. HTTP/2 and gRPC: just so many. */
  readonly connections: Readonly<Record<Protocol, number>>;
  readonly grpc: GrpcSource;
}

/** The clients of the protocols that scenarios speak; each is loaded only when one does. */
export async function clientsFor(
  protocols: ReadonlySet<Protocol>,
  options: ClientOptions,
): Promise<ReadonlyMap<Protocol, Client>> {
  const clients = new Map<Protocol, Client>();
  for (const protocol of protocols) clients.set(protocol, await clientOf(protocol, options));
  return clients;
}

async function clientOf(protocol: Protocol, { dialer, clock, connections, grpc }: ClientOptions): Promise<Client> {
  const count = connections[protocol];
  switch (protocol) {
    case 'http1':
      return new (await import('./client/http1.ts')).Http1Client(dialer, clock, count);
    case 'http2':
      return new (await import('./client/http2.ts')).Http2Client(dialer, clock, count);
    case 'grpc':
      return new (await import('./client/grpc.ts')).GrpcClient(dialer, clock, count, grpc);
  }
}
