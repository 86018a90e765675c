import type { Transform } from 'node:stream';
import type { ResponseHead } from '../types.ts';
import { BodyPipe } from './body-pipe.ts';
import { Hold } from './hold.ts';
import { entered } from './turn.ts';
import { keep } from './reads.ts';
import { ResponseWriter } from './response-writer.ts';
import type { ActiveStream } from './stream.ts';

/** A response on its way from where it was made through the filters to its writer. */
export class ResponsePath extends ResponseWriter {
  readonly #stream: ActiveStream;
  /** What the body goes through. */
  #pipe: BodyPipe | undefined;
  /** While a filter's promise is being waited for. */
  #hold: Hold | undefined;

  constructor(stream: ActiveStream) {
    super(stream.connection);
    this.#stream = stream;
  }

  /** `end`: no body follows; `passEnd` must still be called. */
  passHead(head: ResponseHead, end: boolean): void {
    // Whatever was waited for is another response's, in whose place this one is.
    this.#hold = undefined;
    this.#runFilters(head, 0, end);
  }

  #runFilters(head: ResponseHead, from: number, end: boolean): void {
    const stream = this.#stream;
    const filters = stream.filters.onResponse;
    for (let i = from; i < filters.length; i++) {
      const result = filters[i]!.onResponse!(stream);
      if (stream.over || result === 'stop') return;
      if (result !== undefined) {
        this.#wait(result, () => this.#runFilters(head, i + 1, end));
        return;
      }
    }
    this.head(stream, head, end);
  }

  /** Holds the body until a filter has made up its mind, then goes on with `then` and the body. */
  #wait(result: Promise<undefined | 'stop'>, then: () => void): void {
    const stream = this.#stream;
    const hold = new Hold(undefined);
    this.#hold = hold;
    stream.pauseUpstream();
    const go = (): void =>
      entered(() => {
        if (this.#hold !== hold) return;
        this.#hold = undefined;
        stream.resumeUpstream();
        if (stream.over) return;
        then();
        hold.give(
          (data) => this.passData(data),
          (trailers) => this.passEnd(trailers),
        );
      });
    result.then(go, go);
  }

  passData(data: Buffer): void {
    const stream = this.#stream;
    if (stream.over) return;
    if (this.#hold !== undefined) {
      this.#hold.add(data);
      return;
    }
    this.#filterData(data, 0);
  }

  #filterData(data: Buffer, from: number): void {
    const stream = this.#stream;
    const filters = stream.filters.onResponseData;
    for (let i = from; i < filters.length; i++) {
      const result = filters[i]!.onResponseData!(stream, data, false);
      if (stream.over) return;
      if (result !== undefined && result !== 'stop') {
        const kept = keep(data);
        this.#wait(result, () => this.#filterData(kept, i + 1));
        return;
      }
    }
    this.#write(data);
  }

  /** What has come cannot go on yet: no more is to come. */
  get waits(): boolean {
    return this.#hold !== undefined || this.#pipe?.waits === true || this.#stream.connection.out.blocked;
  }

  transform(transform: Transform, count: (before: number, after: number) => boolean): void {
    const stream = this.#stream;
    const pipe = new BodyPipe(transform, count, {
      onData: (data) => this.#emit(data),
      onEnd: () => this.#endBody(),
      onFlow: (flows) => (flows ? stream.resumeUpstream() : stream.pauseUpstream()),
    });
    if (this.#pipe === undefined) this.#pipe = pipe;
    else this.#pipe.add(pipe);
  }

  #write(data: Buffer): void {
    if (this.#pipe === undefined) this.#emit(data);
    else this.#pipe.write(data);
  }

  #emit(data: Buffer): void {
    const stream = this.#stream;
    if (stream.over) return;
    stream.moved();
    this.data(data);
    if (!this.bodyless) stream.info.bytesSent += data.length;
    const { connection } = stream;
    if (connection.out.blocked) {
      connection.wantDrain();
      stream.pauseUpstream();
    }
  }

  passEnd(trailers: readonly string[] | undefined): void {
    const stream = this.#stream;
    if (stream.over) return;
    stream.trailers = trailers;
    if (this.#hold !== undefined) {
      this.#hold.end(trailers);
      return;
    }
    const { filters } = stream;
    if (trailers !== undefined)
      for (const filter of filters.onResponseTrailers)
        stream.trailers = filter.onResponseTrailers!(stream, stream.trailers!);
    else if (!stream.responseEnds) for (const filter of filters.onResponseEnd) filter.onResponseEnd!(stream);
    if (this.#pipe === undefined) this.#endBody();
    else this.#pipe.end();
  }

  #endBody(): void {
    const stream = this.#stream;
    if (stream.over) return;
    const { stats, program } = stream.hcm;
    // The rest of the request is not waited for.
    if (!stream.requestComplete) stats.downstream_rq_rx_reset++;
    this.end(program.enableTrailers ? stream.trailers : undefined);
    stream.responseWritten();
  }

  destroy(): void {
    this.#pipe?.destroy();
  }
}
