import type { Transform } from 'node:stream';
import { fieldBytesOf } from '../codec/field-bytes.ts';
import type { AlpnChoice, CollectedBody, HttpStream, LocalReplyOptions, ResponseHead } from '../types.ts';
import { BodyPipe } from './body-pipe.ts';
import { Hold, type BodyWish } from './hold.ts';
import type { StreamRecord } from './info.ts';
import { entered, turnNow } from './turn.ts';
import type { FilterPlan } from './plan.ts';
import { keep } from './reads.ts';
import { RoutedStream } from './routed-stream.ts';
import type { Router } from './router.ts';
import type { ServerConnection } from './server-connection.ts';

const EMPTY = Buffer.alloc(0);

/** A request on its way through the filters to the router. A base of the stream's class, as its own base is. */
export abstract class RequestStream extends RoutedStream implements HttpStream {
  upstreamAlpn: AlpnChoice | undefined = undefined;
  /** The lowercase protocol that an upgrade asks for, `connect`, or empty. */
  upgrade = '';
  /** The connection carries bytes of another protocol after the heads. */
  tunnel = false;
  /** All of the request has been read. */
  requestComplete = false;
  /** The client speaks gRPC, whatever filters make of its request. */
  grpc = false;
  /** A body is coming or may come. */
  expectsBody = false;
  over = false;
  filters: FilterPlan;
  /** Undefined: it has not got there, or was answered on the way. */
  protected router: Router | undefined;
  /** What makes another body of it, behind what filters see of its parts. */
  #pipe: BodyPipe | undefined;
  /** The same of filters before one that has waited: that one, and those behind it, get what is made. */
  #early: BodyPipe | undefined;
  /** The last of these: between a filter that has waited and one that waits now. */
  #taken: BodyPipe | undefined;
  /** The client is not to go on before a filter has made up its mind. */
  #paused = false;
  #trailers: readonly string[] | undefined;
  /** While a filter's promise is being waited for. */
  #hold: Hold | undefined;
  /** What a filter that has just run wants of the body. */
  #bodyWish: BodyWish | undefined;

  constructor(connection: ServerConnection, info: StreamRecord) {
    super(connection, info);
    this.filters = connection.plan.filters;
  }

  override clearRoute(): void {
    if (this.decision !== undefined) for (const filter of this.filters.onRouteCleared) filter.onRouteCleared!(this);
    super.clearRoute();
  }

  // ---- of the response's side
  abstract response: ResponseHead | undefined;
  abstract readonly responseEnds: boolean;
  abstract get responseStarted(): boolean;
  abstract transformResponse(transform: Transform, count: (before: number, after: number) => boolean): void;
  abstract sendLocalReply(
    status: number,
    body: string,
    details: string,
    flags: number,
    headers?: readonly [string, string][],
    more?: LocalReplyOptions,
  ): void;

  /** Sends the request where its route says; undefined: it was answered instead. */
  protected abstract newRouter(): Router | undefined;

  protected runRequestFilters(from: number): void {
    const filters = this.filters.onRequest;
    for (let i = from; i < filters.length; i++) {
      const result = filters[i]!.onRequest!(this);
      if (result === undefined) {
        if (this.over || this.responseStarted) return;
        continue;
      }
      if (result === 'stop') return;
      this.#takeWhatIsMade();
      this.#wait(result, () => this.runRequestFilters(i + 1));
      return;
    }
    const router = this.newRouter();
    this.router = router;
    router?.start();
  }

  /** Holds the body until a filter has made up its mind, then goes on with `then` and the body. */
  #wait(result: Promise<undefined | 'stop'>, then: () => void): void {
    const wish = this.#bodyWish;
    this.#bodyWish = undefined;
    // There is no more to read for now; once all of the request is here, only the client's going away is to be noticed.
    const hold = new Hold({
      ...(wish ?? { limit: this.hcm.bufferLimit, partial: true, onTooLarge: () => undefined }),
      onReady: (body) => {
        if (!body.complete) {
          this.#paused = true;
          this.connection.pause();
        }
        wish?.onReady(body);
      },
    });
    this.#hold = hold;
    const settled = (go: boolean): void =>
      entered(() => {
        this.#hold = undefined;
        if (this.#paused) this.connection.resume();
        this.#paused = false;
        if (!go || this.over || this.responseStarted) return;
        this.#taken = undefined;
        then();
        const taken = this.#taken as BodyPipe | undefined;
        hold.give(
          (data) => (taken === undefined ? this.#passMade(data) : taken.write(data)),
          (trailers) => (taken === undefined ? this.#passMadeEnd(trailers) : taken.end()),
        );
      });
    result.then(
      (value) => settled(value === undefined),
      () => {
        if (!this.over) entered(() => this.sendLocalReply(500, '', 'filter_failed', 0));
        settled(false);
      },
    );
  }

  onRequestData(data: Buffer): void {
    this.info.bytesReceived += data.length;
    this.passRequestData(data);
  }

  protected passRequestData(data: Buffer): void {
    if (this.over) return;
    if (this.#early === undefined) this.#passMade(data);
    else this.#early.write(data);
  }

  /** Whoever waits gets what filters before it have made of the body. */
  #takeWhatIsMade(): void {
    if (this.#pipe === undefined) return;
    if (this.#early === undefined) this.#early = this.#pipe;
    else this.#early.add(this.#pipe);
    this.#taken = this.#pipe;
    this.#pipe = undefined;
  }

  #passMade(data: Buffer): void {
    if (this.over) return;
    if (this.#hold !== undefined) {
      this.#hold.add(data);
      return;
    }
    this.moved();
    this.#filterData(data, 0);
  }

  #filterData(data: Buffer, from: number): void {
    const filters = this.filters.onRequestData;
    for (let i = from; i < filters.length; i++) {
      const result = filters[i]!.onRequestData!(this, data, false);
      if (result === 'stop' || this.over) return;
      if (result !== undefined) {
        const kept = keep(data);
        this.#wait(result, () => this.#filterData(kept, i + 1));
        return;
      }
    }
    this.#sendUp(data);
  }

  #sendUp(data: Buffer): void {
    if (this.#pipe === undefined) this.router?.onRequestData(data);
    else this.#pipe.write(data);
  }

  onRequestEnd(trailers: readonly string[] | undefined): void {
    if (this.over) return;
    this.noteRequestEnd();
    if (trailers !== undefined) this.info.headerBytesReceived += fieldBytesOf(trailers);
    this.passRequestEnd(trailers);
  }

  protected passRequestEnd(trailers: readonly string[] | undefined): void {
    if (this.over) return;
    this.#trailers = trailers;
    if (this.#early === undefined) this.#passMadeEnd(trailers);
    else this.#early.end();
  }

  #passMadeEnd(trailers: readonly string[] | undefined): void {
    if (this.over) return;
    if (this.#hold !== undefined) {
      this.#hold.end(trailers);
      return;
    }
    const filters = this.filters.onRequestData;
    for (let i = 0; i < filters.length; i++) {
      if (filters[i]!.onRequestData!(this, EMPTY, true) === 'stop' || this.over) return;
    }
    let passed = trailers;
    if (passed !== undefined)
      for (const filter of this.filters.onRequestTrailers) passed = filter.onRequestTrailers!(this, passed);
    else if (this.expectsBody) for (const filter of this.filters.onRequestEnd) filter.onRequestEnd!(this);
    this.#trailers = passed;
    if (this.#pipe === undefined) this.#endRequest(passed);
    else this.#pipe.end();
  }

  protected destroyRequestPipe(): void {
    this.#early?.destroy();
    this.#pipe?.destroy();
  }

  #endRequest(trailers: readonly string[] | undefined): void {
    if (this.over) return;
    this.router?.onRequestEnd(trailers);
  }

  protected noteRequestEnd(): void {
    if (this.requestComplete) return;
    this.requestComplete = true;
    this.info.requestEndTime = turnNow(this.hcm.deps.clock);
  }

  // ---- for filters

  declareLength(bytes: number): void {
    const { headers } = this.request;
    if (!headers.has('content-length')) headers.add('content-length', String(bytes));
  }

  collectBody(limit: number, partial: boolean): Promise<CollectedBody> {
    if (!this.expectsBody) return Promise.resolve({ data: EMPTY, complete: true });
    return new Promise((resolve) => {
      this.#bodyWish = {
        limit,
        partial,
        onReady: resolve,
        onTooLarge: () => {
          this.hcm.stats.downstream_rq_too_large++;
          // Of what was made of it there was more to come.
          if (this.#early !== undefined) this.connection.last = true;
          this.sendLocalReply(413, 'Payload Too Large', 'request_payload_too_large', 0);
        },
      };
    });
  }

  get bodyLimit(): number {
    return this.hcm.bufferLimit;
  }

  passOverBody(): Promise<void> {
    if (!this.expectsBody) return Promise.resolve();
    return new Promise((resolve) => {
      this.#bodyWish = {
        limit: Infinity,
        partial: true,
        drops: true,
        onReady: () => resolve(),
        onTooLarge: () => undefined,
      };
    });
  }

  transformRequest(transform: Transform, count: (before: number, after: number) => boolean): void {
    // Of what is behind the last: whoever waits, or the router.
    const isLast = (): boolean => this.#pipe?.isLast(pipe) === true;
    const pipe: BodyPipe = new BodyPipe(transform, count, {
      onData: (data) => (isLast() ? this.router?.onRequestData(data) : this.#passMade(data)),
      onEnd: () => (isLast() ? this.#endRequest(this.#trailers) : this.#passMadeEnd(this.#trailers)),
      onFlow: (flows) => (flows ? this.connection.resume() : this.connection.pause()),
    });
    if (this.#pipe === undefined) this.#pipe = pipe;
    else this.#pipe.add(pipe);
  }
}
