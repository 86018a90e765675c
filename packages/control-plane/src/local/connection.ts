import type { Socket } from 'node:net';
import { TypeUrl } from '@mizzen/xds';
import type { LocalXdsForget, LocalXdsRequest } from '@mizzen/xds';
import type { XdsStream } from '../xds/stream.ts';
import type { DeltaResponse } from '../xds/types.ts';
import { LineReader } from './lines.ts';
import { parseRequest, toDelta } from './request.ts';
import type { LocalXdsOptions } from './server.ts';
import { SharedBodies } from './shared-bodies.ts';

const LONGEST_REQUEST = 16 * 1024 * 1024;
/** While more than this waits to be written, nothing is added: the streams merge what changes meanwhile. */
const HIGH_WATER = 4 * 1024 * 1024;
/** Lines of one turn leave in one write, up to about this size. */
const LARGEST_WRITE = 256 * 1024;

/** One connection: the streams of many nodes, told apart by `node`. */
export class LocalConnection {
  readonly #socket: Socket;
  readonly #options: LocalXdsOptions;
  readonly #streams = new Map<string, XdsStream>();
  readonly #bodies = new SharedBodies();
  /** Lines of this turn, and their length together. */
  #lines: string[] = [];
  #pending = 0;

  constructor(socket: Socket, options: LocalXdsOptions, onClose: () => void) {
    this.#socket = socket;
    this.#options = options;
    const lines = new LineReader(LONGEST_REQUEST, (line) => this.#onLine(line));
    socket.on('data', (data: Buffer) => {
      if (!lines.push(data)) this.#fail('a request is too long');
    });
    socket.on('drain', () => {
      for (const stream of this.#streams.values()) stream.flush();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      for (const stream of this.#streams.values()) options.server.close(stream);
      this.#streams.clear();
      onClose();
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onLine(line: string): void {
    if (this.#socket.destroyed) return;
    let request: LocalXdsRequest;
    try {
      request = parseRequest(line);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      return;
    }
    const { node } = request;
    if (request.close === true) {
      const stream = this.#streams.get(node);
      this.#streams.delete(node);
      this.#bodies.dropNode(node);
      if (stream !== undefined) this.#options.server.close(stream);
      return;
    }
    const stream = this.#stream(request);
    if (request.unsubscribe !== undefined) this.#bodies.drop(node, request.typeUrl, request.unsubscribe);
    stream.request(toDelta(request));
  }

  #stream(request: LocalXdsRequest): XdsStream {
    const { node } = request;
    let stream = this.#streams.get(node);
    if (stream === undefined) {
      stream = this.#options.server.open(node, {
        send: (response) => this.#send(node, response),
        writable: () => !this.#socket.destroyed && this.#socket.writableLength + this.#pending < HIGH_WATER,
      });
      this.#streams.set(node, stream);
      this.#options.onNode?.(node, request.metadata);
    }
    return stream;
  }

  /** A LocalXdsResponse; put together by hand because the resources are JSON text already. */
  #send(node: string, response: DeltaResponse): number {
    const { typeUrl, nonce, removed } = response;
    const resources = response.resources
      .map(({ name, version, json }) => {
        const whole = typeUrl === TypeUrl.secret || this.#bodies.use(node, typeUrl, name, version);
        return whole ? `{"name":${JSON.stringify(name)},"version":"${version}","resource":${json}}` : `"${version}"`;
      })
      .join(',');
    this.#bodies.drop(node, typeUrl, removed);
    const head = JSON.stringify({ node, typeUrl, nonce, removed });
    this.#line(`${head.slice(0, -1)},"resources":[${resources}]}\n`);
    return Buffer.byteLength(resources);
  }

  #line(line: string): void {
    if (this.#lines.length === 0) queueMicrotask(() => this.#write());
    this.#lines.push(line);
    this.#pending += line.length;
    if (this.#pending > LARGEST_WRITE) this.#write();
  }

  #write(): void {
    if (this.#lines.length === 0) return;
    const forget = this.#bodies.takeUnused();
    if (forget.length > 0) this.#lines.push(`${JSON.stringify({ forget } satisfies LocalXdsForget)}\n`);
    const text = this.#lines.join('');
    this.#lines = [];
    this.#pending = 0;
    if (!this.#socket.destroyed) this.#socket.write(text);
  }

  #fail(message: string): void {
    this.#options.onProblem?.(`local xDS: ${message}; closing the connection`);
    this.#socket.destroy();
  }
}
