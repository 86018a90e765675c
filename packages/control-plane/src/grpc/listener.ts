import { chmodSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { dirname } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { SecureContextOptions, Server as TlsServer, TLSSocket } from 'node:tls';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { removeStale } from '../local/server.ts';
import { AdsCall } from './ads-call.ts';
import type { AdsCallOptions, Protocol } from './ads-call.ts';
import { LIMITS } from './limits.ts';
import type { GrpcXdsOptions } from './options.ts';
import { bearerToken, identityOf } from './peer.ts';
import type { Peer } from './peer.ts';
import { IncrementalProtocol, WorldProtocol } from './protocols.ts';
import { ofSameUser } from './same-user.ts';
import { createWriteBudget } from './write-budget.ts';

const raw = (message: Buffer): Buffer => message;
const ADS = '/envoy.service.discovery.v3.AggregatedDiscoveryService/';
const streaming = (path: string): ServiceDefinition[string] => ({
  path,
  requestStream: true,
  responseStream: true,
  requestSerialize: raw,
  requestDeserialize: raw,
  responseSerialize: raw,
  responseDeserialize: raw,
});
export const ADS_SERVICE: ServiceDefinition = {
  streamAggregatedResources: streaming(`${ADS}StreamAggregatedResources`),
  deltaAggregatedResources: streaming(`${ADS}DeltaAggregatedResources`),
};

type Call = ServerDuplexStream<Buffer, Buffer>;

/** Another service on the same port. */
export interface ExtraService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/**
 * Serves the aggregated discovery service, in both its variants, to Envoy and whoever else speaks it. The sockets are ours
 * and are handed to the gRPC server, so that what is known of a connection is known to its calls.
 */
export class GrpcXdsListener {
  readonly #options: AdsCallOptions;
  readonly #grpc: Server;
  readonly #injector: ReturnType<Server['createConnectionInjector']>;
  readonly #server: NetServer | TlsServer;
  readonly #sockets = new Set<Socket>();
  /** Addresses of the plain connections that a process of this user made. */
  readonly #ours = new Set<string>();
  #calls = 0;
  /** Plain connections of which it is not known yet who made them; they are read from when it is. */
  readonly #unknown: Socket[] = [];

  constructor(options: GrpcXdsOptions, services: readonly ExtraService[] = []) {
    this.#options = { ...options, budget: options.budget ?? createWriteBudget(options.clock) };
    this.#grpc = new Server({
      'grpc.max_receive_message_length': LIMITS.requestBytes,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': LIMITS.callsPerConnection,
      'grpc.keepalive_time_ms': LIMITS.keepalive,
      'grpc.keepalive_timeout_ms': LIMITS.keepaliveTimeout,
      'grpc.enable_channelz': 0,
      ...(options.tls === undefined
        ? {}
        : {
            'grpc.max_connection_age_ms': LIMITS.connectionAge,
            'grpc.max_connection_age_grace_ms': LIMITS.connectionAgeGrace,
          }),
    });
    this.#grpc.addService(ADS_SERVICE, {
      streamAggregatedResources: (call: Call) => this.#accept(call, new WorldProtocol()),
      deltaAggregatedResources: (call: Call) => this.#accept(call, new IncrementalProtocol()),
    });
    for (const { definition, implementation } of services) this.#grpc.addService(definition, implementation);
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#server = this.#createServer();
    this.#server.maxConnections = LIMITS.connections;
  }

  /**
   * Returns the port (0 for a unix socket).
   * @throws LocalXdsError when another process serves on the path or a file is there, or the error of listen(2).
   */
  async listen(): Promise<number> {
    const { bind } = this.#options;
    if ('path' in bind && process.platform !== 'win32') {
      // One that is there may be anybody's (`/tmp`): whose it is makes it private.
      mkdirSync(dirname(bind.path), { recursive: true, mode: 0o700 });
      await removeStale(bind.path);
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(bind, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    if (!('path' in bind)) return this.#port;
    if (process.platform !== 'win32') chmodSync(bind.path, 0o600);
    return 0;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#injector.destroy();
    for (const socket of this.#sockets) socket.destroy();
    this.#grpc.forceShutdown();
    await closed;
  }

  /** Another certificate of the server's own; connections that there are keep theirs. */
  setCertificate(tls: SecureContextOptions): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(tls);
  }

  /** What is known of whoever made a call. */
  peerOf(call: Pick<Call, 'getPeer' | 'getAuthContext' | 'metadata'>): Peer {
    const { bind, tls } = this.#options;
    const certificate = call.getAuthContext().sslPeerCertificate;
    const kind = 'path' in bind ? 'unix' : tls === undefined ? 'plain' : 'tls';
    return {
      kind,
      address: 'path' in bind ? bind.path : call.getPeer(),
      sameUser: kind === 'unix' || (kind === 'plain' && this.#ours.has(call.getPeer())),
      identity: certificate === undefined ? undefined : identityOf(certificate),
      token: bearerToken(call.metadata.get('authorization')),
    };
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #createServer(): NetServer | TlsServer {
    const { tls } = this.#options;
    if (tls === undefined) {
      return createServer({ noDelay: true }, (socket) => {
        this.#follow(socket);
        if ('path' in this.#options.bind) return this.#injector.injectConnection(socket);
        this.#unknown.push(socket);
        if (this.#unknown.length === 1) void this.#identify();
      });
    }
    const server = createTlsServer({
      ...tls,
      ALPNProtocols: ['h2'],
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: LIMITS.firstRequest,
      noDelay: true,
    });
    server.on('connection', (socket: Socket) => this.#follow(socket));
    server.on('secureConnection', (socket: TLSSocket) => {
      // A certificate that this mesh did not issue proves nothing, and a client that shows one is mistaken.
      const shown = socket.getPeerCertificate().raw !== undefined;
      if (shown && !socket.authorized) {
        this.#options.onProblem?.(`${socket.remoteAddress} shows a certificate that is not of this mesh`);
        socket.destroy();
      } else this.#injector.injectConnection(socket);
    });
    server.on('tlsClientError', (_, socket) => socket.destroy());
    return server;
  }

  async #identify(): Promise<void> {
    while (this.#unknown.length > 0) {
      const batch = [...this.#unknown];
      const ours = await ofSameUser(batch);
      this.#unknown.splice(0, batch.length);
      for (const socket of batch) {
        if (socket.destroyed) continue;
        const peer = `${socket.remoteAddress}:${socket.remotePort}`;
        if (ours.has(socket)) this.#ours.add(peer);
        socket.on('close', () => this.#ours.delete(peer));
        this.#injector.injectConnection(socket);
      }
    }
  }

  #follow(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #accept(call: Call, protocol: Protocol): void {
    if (this.#calls >= (this.#options.calls ?? LIMITS.calls)) {
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'as many proxies are connected as may be' });
      return;
    }
    this.#calls++;
    let open = true;
    const gone = (): void => {
      if (open) this.#calls--;
      open = false;
    };
    call.on('cancelled', gone);
    call.on('close', gone);
    call.on('finish', gone);
    new AdsCall(call, protocol, this.peerOf(call), this.#options);
  }
}
