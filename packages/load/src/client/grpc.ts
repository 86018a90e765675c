import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import {
  Client as Channel,
  credentials,
  Metadata,
  status as Status,
  type ChannelOptions,
  type ServiceError,
} from '@grpc/grpc-js';
import { load, type PackageDefinition, type MethodDefinition } from '@grpc/proto-loader';
import type { Clock } from '../deps.ts';
import type { Dialer } from '../net/dialer.ts';
import type { GrpcSource } from '../scenario/types.ts';
import { NO_ANSWER_IN_TIME, wordsFor } from './errors.ts';
import { LOADING, reflect } from './reflection.ts';
import { NOTHING, type Client, type Outcome, type Outgoing } from './types.ts';

type Method = MethodDefinition<object, object>;
const REFLECTION_MS = 5000;

/** Unary gRPC calls; what a method takes comes from .proto files or from the server (reflection). */
export class GrpcClient implements Client {
  readonly #dialer: Dialer;
  readonly #clock: Clock;
  readonly #connections: number;
  readonly #source: GrpcSource;
  readonly #origins = new Map<string, Promise<Origin>>();
  readonly #methods = new Map<string, Promise<Method>>();
  #files: Promise<PackageDefinition> | undefined;
  #closed = false;

  constructor(dialer: Dialer, clock: Clock, connections: number, source: GrpcSource) {
    this.#dialer = dialer;
    this.#clock = clock;
    this.#connections = connections;
    this.#source = source;
  }

  async send(outgoing: Outgoing): Promise<Outcome> {
    try {
      const origin = await this.#origin(outgoing.url);
      const method = await this.#method(outgoing.url, origin);
      if (this.#closed) return failed('cancelled');
      return await call(origin.next(), method, outgoing, this.#clock, () => this.#closed);
    } catch (error) {
      return failed(this.#closed ? 'cancelled' : wordsFor(error));
    }
  }

  /**
   * Learns what a method takes before it is called.
   * @throws Error in words for people
   */
  async prepare(url: URL): Promise<void> {
    await this.#method(url, await this.#origin(url));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const origin of this.#origins.values()) (await origin.catch(() => undefined))?.close();
  }

  #origin(url: URL): Promise<Origin> {
    return known(this.#origins, url.origin, () => openOrigin(this.#dialer, url, this.#connections));
  }

  #method({ origin, pathname }: URL, channels: Origin): Promise<Method> {
    const [, service = '', name = ''] = pathname.split('/');
    return known(this.#methods, `${origin}${pathname}`, async () => {
      const definitions = await this.#definitions(service, channels);
      const definition = definitions[service];
      const method =
        definition === undefined || 'format' in definition ? undefined : (definition as Record<string, Method>)[name];
      if (method === undefined) throw new Error(`there is no method \`${service}/${name}\``);
      if (method.requestStream || method.responseStream) throw new Error(`\`${service}/${name}\` is not unary`);
      return method;
    });
  }

  #definitions(service: string, channels: Origin): Promise<PackageDefinition> {
    const { protos, include } = this.#source;
    if (protos.length === 0) return reflect(channels.next(), service, this.#clock.wall() + REFLECTION_MS);
    this.#files ??= load([...protos], {
      ...LOADING,
      includeDirs: [...include, ...new Set(protos.map((file) => dirname(file)))],
    });
    return this.#files;
  }
}

/** Channels to one origin, each with a connection of its own. */
class Origin {
  readonly #channels: readonly Channel[];
  #next = 0;

  constructor(channels: readonly Channel[]) {
    this.#channels = channels;
  }

  next(): Channel {
    return this.#channels[this.#next++ % this.#channels.length]!;
  }

  close(): void {
    for (const channel of this.#channels) channel.close();
  }
}

async function openOrigin(dialer: Dialer, url: URL, connections: number): Promise<Origin> {
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  const { via, guard } = dialer;
  if (via.kind === 'sidecar') await guard.throughMesh(url.hostname, port);
  const host = via.kind === 'direct' ? url.hostname : via.host;
  // The address that was checked is the one that is used: grpc-js looks up nothing.
  const [address = ''] = await guard.addresses(host);
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // grpc-js names every server when it connects, and an address is no name in TLS; its certificate must have the address.
  const isAddress = isIP(name) !== 0;
  const options: ChannelOptions = {
    'grpc.default_authority': url.host,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    ...(via.kind === 'sidecar' ? { 'grpc.http_connect_target': `dns:${url.hostname}:${port}` } : {}),
    ...(secure ? { 'grpc.ssl_target_name_override': isAddress ? 'localhost' : name } : {}),
  };
  const target = `${address.includes(':') ? `ipv6:[${address}]` : `ipv4:${address}`}:${via.kind === 'direct' ? port : via.port}`;
  const { ca, insecure } = dialer.tls;
  const trust = secure
    ? credentials.createSsl(ca === undefined ? null : Buffer.from(ca), null, null, {
        rejectUnauthorized: !insecure,
        ...(isAddress ? { checkServerIdentity: (_, cert) => checkServerIdentity(name, cert as PeerCertificate) } : {}),
      })
    : credentials.createInsecure();
  return new Origin(Array.from({ length: connections }, () => new Channel(target, trust, options)));
}

function call(
  channel: Channel,
  method: Method,
  outgoing: Outgoing,
  clock: Clock,
  closed: () => boolean,
): Promise<Outcome> {
  const { headers, message, timeoutMs, keepBody, disturb } = outgoing;
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  const bytes = method.requestSerialize((message ?? {}) as object);
  return new Promise((resolve) => {
    let aborted = false;
    const started = channel.makeUnaryRequest<Buffer, Buffer>(
      method.path,
      (value) => value,
      (value) => value,
      bytes,
      metadata,
      { deadline: clock.wall() + timeoutMs },
      (error, answer) => {
        cancelAbort?.();
        const sent = error === null || wasSent(error);
        const counts = { sent, bytesIn: answer?.length ?? 0, bytesOut: sent ? bytes.length : 0 };
        if (error === null) {
          const body = keepBody ? Buffer.from(JSON.stringify(method.responseDeserialize(answer!))) : NOTHING;
          resolve({
            ...counts,
            aborted: false,
            error: undefined,
            answer: { status: 'OK', ok: true, headers: {}, body },
          });
        } else if (aborted || (closed() && error.code === Status.CANCELLED)) {
          resolve({ ...counts, aborted, error: aborted ? undefined : 'cancelled', answer: undefined });
        } else {
          resolve({ ...counts, aborted: false, ...explained(error, sent) });
        }
      },
    );
    const cancelAbort =
      disturb?.abortAfterMs === undefined
        ? undefined
        : clock.after(disturb.abortAfterMs, () => {
            aborted = true;
            started.cancel();
          });
  });
}

/** Of a call without a connection grpc-js says so, and of one on a connection it knows the address. */
function wasSent({ code, details }: ServiceError): boolean {
  if (code === Status.UNAVAILABLE) return !/^(No connection established|Name resolution)/.test(details);
  if (code === Status.DEADLINE_EXCEEDED && details.startsWith('Deadline exceeded'))
    return details.includes('remote_addr');
  return true;
}

/** An answer with its status, or an error where no server said anything. */
function explained({ code, details, metadata }: ServiceError, sent: boolean): Pick<Outcome, 'answer' | 'error'> {
  if (code === Status.DEADLINE_EXCEEDED && details.startsWith('Deadline exceeded')) {
    return { answer: undefined, error: NO_ANSWER_IN_TIME };
  }
  if (!sent) {
    const refused = details.includes('ECONNREFUSED');
    return { answer: undefined, error: refused ? 'connection refused' : 'no connection' };
  }
  const headers = Object.fromEntries(Object.entries(metadata.getMap()).map(([name, value]) => [name, String(value)]));
  return { answer: { status: Status[code] ?? String(code), ok: false, headers, body: NOTHING }, error: undefined };
}

function failed(error: string): Outcome {
  return { answer: undefined, error, aborted: false, sent: false, bytesIn: 0, bytesOut: 0 };
}

function known<V>(map: Map<string, Promise<V>>, key: string, make: () => Promise<V>): Promise<V> {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  // What failed is tried again by the next.
  made.catch(() => map.delete(key));
  return made;
}
