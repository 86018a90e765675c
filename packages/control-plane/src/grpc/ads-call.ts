import { status } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { TypeUrl } from '@mizzen/xds';
import type { Timer } from '../clock.ts';
import type { VersionedResource } from '../xds/resource.ts';
import type { XdsStream } from '../xds/stream.ts';
import type { DeltaRequest, DeltaResponse, RefusedResource } from '../xds/types.ts';
import { LIMITS } from './limits.ts';
import { readNode, readNodeId } from './node.ts';
import type { ProxyNode } from './node.ts';
import { Refused } from './options.ts';
import type { ConnectedProxy, GrpcXdsOptions } from './options.ts';
import type { Peer } from './peer.ts';
import { Rate } from './rate.ts';
import { encodedAny } from './responses.ts';
import type { WireResource } from './responses.ts';
import { WireError } from './wire.ts';
import type { WriteBudget } from './write-budget.ts';

/** One variant of the protocol: bytes of requests and responses, in terms of the incremental stream. */
export interface Protocol {
  readonly name: ConnectedProxy['protocol'];
  /** @throws WireError */
  read(message: Buffer): {
    readonly node: Buffer | undefined;
    readonly typeUrl: string;
    toDelta(): DeltaRequest | undefined;
  };
  /** The response as bytes; `encode` leaves out what cannot be encoded. */
  write(response: DeltaResponse, encode: Encode): Buffer;
  /** How many names are followed. */
  readonly size: number;
}
export interface AdsCallOptions extends GrpcXdsOptions {
  readonly budget: WriteBudget;
}

export type Encode = (resources: readonly VersionedResource[]) => WireResource[];

const TYPES = new Set<string>(Object.values(TypeUrl));

/**
 * One call of a proxy: asks who it is, lets it in or not, then passes requests to its stream and responses back. Whatever
 * is wrong with a call ends that call, with a status that says why.
 */
export class AdsCall {
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #protocol: Protocol;
  readonly #peer: Peer;
  readonly #options: AdsCallOptions;
  readonly #rate: Rate;
  /** Requests that came before it was known whether the proxy may come in. */
  #early: Buffer[] | undefined = [];
  #proxy: ConnectedProxy | undefined;
  #stream: XdsStream | undefined;
  #unwritten = 0;
  /** One for each response that is not written yet. */
  readonly #releases = new Set<() => void>();
  #closed = false;
  #timer: Timer | undefined;
  /** What could not be encoded, by the nonce of the response that should have had it. */
  readonly #unfit = new Map<string, readonly RefusedResource[]>();
  readonly #ignored = new Set<string>();

  constructor(call: ServerDuplexStream<Buffer, Buffer>, protocol: Protocol, peer: Peer, options: AdsCallOptions) {
    this.#call = call;
    this.#protocol = protocol;
    this.#peer = peer;
    this.#options = options;
    this.#rate = new Rate(options.clock, LIMITS.requestBurst, LIMITS.requestsPerSecond);
    this.#timer = options.clock.after(LIMITS.firstRequest, () =>
      this.#fail(status.DEADLINE_EXCEEDED, 'no request came'),
    );
    call.on('data', (message: Buffer) => this.#guard(() => this.#onMessage(message)));
    call.on('end', () => {
      this.#close();
      call.end();
    });
    call.on('cancelled', () => this.#close());
    call.on('close', () => this.#close());
  }

  readonly #flush = (): void => this.#guard(() => this.#stream?.flush());

  #onMessage(message: Buffer): void {
    if (this.#closed) return;
    const wait = this.#rate.take();
    if (wait > 0) {
      this.#call.pause();
      this.#options.clock.after(wait, () => this.#call.resume());
    }
    if (this.#stream === undefined && this.#early !== undefined) {
      this.#early.push(message);
      if (this.#early.length === 1) this.#enter(message);
      else this.#call.pause();
      return;
    }
    this.#request(message);
  }

  /** The first request: who is it, and may it be that? */
  #enter(message: Buffer): void {
    const { node: bytes } = this.#protocol.read(message);
    if (bytes === undefined) throw new WireError('the first request of a stream must say its node');
    const node = readNode(bytes);
    const verdict = this.#options.authorize?.(node, this.#peer) ?? {};
    if (!(verdict instanceof Promise)) return this.#open({ node, peer: this.#peer, ...verdict });
    verdict.then(
      (known) => this.#guard(() => this.#open({ node, peer: this.#peer, ...known })),
      (error: unknown) =>
        this.#guard(() => {
          throw error;
        }),
    );
  }

  #open(known: { readonly node: ProxyNode; readonly peer: Peer } & Pick<ConnectedProxy, 'identity'>): void {
    if (this.#closed) return;
    const { server, keyOf, onNode } = this.#options;
    const proxy: ConnectedProxy = {
      ...known,
      key: keyOf?.(known.node) ?? known.node.id,
      protocol: this.#protocol.name,
    };
    this.#proxy = proxy;
    this.#timer?.cancel();
    this.#stream = server.open(proxy.key, {
      send: (response) => this.#send(response),
      writable: () =>
        !this.#closed && this.#unwritten < LIMITS.unwrittenBytes && this.#options.budget.hasRoom(this.#flush),
      warms: true,
    });
    onNode?.(proxy, this.#stream);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const message of early) this.#request(message);
    this.#call.resume();
  }

  #request(message: Buffer): void {
    const request = this.#protocol.read(message);
    const { node } = this.#proxy!;
    if (request.node !== undefined) {
      const id = readNodeId(request.node);
      if (id !== '' && id !== node.id) throw new WireError('the node of a stream cannot change');
    }
    if (!TYPES.has(request.typeUrl)) return this.#ignore(request.typeUrl);
    const delta = request.toDelta();
    if (this.#protocol.size > LIMITS.names)
      throw new Refused(status.RESOURCE_EXHAUSTED, 'the stream follows too many resources');
    if (delta !== undefined) this.#stream?.request(this.#withUnfit(delta));
  }

  /** Types that nobody here serves (runtime settings, Istio's name tables) are asked for by some proxies all the same. */
  #ignore(typeUrl: string): void {
    if (typeUrl === '') throw new WireError('a request has no type');
    if (this.#ignored.has(typeUrl) || this.#ignored.size >= TYPES.size) return;
    this.#ignored.add(typeUrl);
    this.#options.onProblem?.(`${this.#proxy!.node.id} asks for ${typeUrl.slice(0, 200)}, which is not served`);
  }

  #send(response: DeltaResponse): number {
    if (this.#closed) return 0;
    const unfit: RefusedResource[] = [];
    const bytes = this.#protocol.write(response, (resources) =>
      resources.flatMap((resource) => {
        const { name, version } = resource;
        try {
          return [{ name, version, any: encodedAny(response.typeUrl, resource) }];
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          unfit.push({ resource: name, field: '', message });
          return [];
        }
      }),
    );
    if (unfit.length > 0) this.#unfit.set(response.nonce, unfit);
    this.#unwritten += bytes.length;
    const release = this.#options.budget.take(bytes.length);
    this.#releases.add(release);
    this.#call.write(bytes, () => {
      const waited = this.#unwritten >= LIMITS.unwrittenBytes;
      this.#unwritten -= bytes.length;
      this.#releases.delete(release);
      release();
      if (waited) this.#flush();
    });
    return bytes.length;
  }

  /** What could not be encoded counts as refused by the proxy, which never saw it. */
  #withUnfit(request: DeltaRequest): DeltaRequest {
    const nonce = request.responseNonce ?? '';
    const unfit = this.#unfit.get(nonce);
    if (unfit === undefined) return request;
    this.#unfit.delete(nonce);
    const { refusal } = request;
    if (refusal !== undefined && refusal.resources === undefined) return request;
    const resources = [...(refusal?.resources ?? []), ...unfit];
    return { ...request, refusal: { message: resources.map((each) => each.message).join('; '), resources } };
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (error instanceof WireError) return this.#fail(status.INVALID_ARGUMENT, error.message);
      if (error instanceof Refused) return this.#fail(error.code, error.message);
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#options.onProblem?.(`a request of ${this.#proxy?.node.id ?? this.#peer.address} failed: ${reason}`);
      this.#fail(status.INTERNAL, 'an error of the control plane; its log says more');
    }
  }

  #fail(code: number, details: string): void {
    if (this.#closed) return;
    const who = this.#proxy?.node.id ?? this.#peer.address;
    this.#options.onProblem?.(`the stream of ${who} ends: ${details}`);
    this.#close();
    this.#call.emit('error', { code, details });
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#early = undefined;
    this.#timer?.cancel();
    this.#options.budget.leave(this.#flush);
    if (this.#stream !== undefined) this.#options.server.close(this.#stream);
    for (const release of this.#releases) release();
    if (this.#proxy !== undefined) this.#options.onGone?.(this.#proxy);
  }
}
