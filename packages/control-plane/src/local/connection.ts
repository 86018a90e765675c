import type { Socket } from 'node:net';
import type { LocalXdsRequest } from '@mizzen/xds';
import type { XdsStream } from '../xds/stream.ts';
import type { DeltaResponse } from '../xds/types.ts';
import { LineReader } from './lines.ts';
import { parseRequest, toDelta } from './request.ts';
import type { LocalXdsOptions } from './server.ts';

const LONGEST_REQUEST = 16 * 1024 * 1024;
/** While more than this waits to be written, nothing is added: the streams merge what changes meanwhile. */
const HIGH_WATER = 4 * 1024 * 1024;

/** One connection: the streams of many nodes, told apart by `node`. */
export class LocalConnection {
  readonly #socket: Socket;
  readonly #options: LocalXdsOptions;
  readonly #streams = new Map<string, XdsStream>();

  constructor(socket: Socket, options: LocalXdsOptions, onClose: () => void) {
    this.#socket = socket;
    this.#options = options;
    const lines = new LineReader(LONGEST_REQUEST, (line) => this.#onLine(line));
    socket.on('data', (data: Buffer) => {
      socket.cork();
      if (!lines.push(data)) this.#fail('a request is too long');
      socket.uncork();
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
      if (stream !== undefined) this.#options.server.close(stream);
      return;
    }
    this.#stream(request).request(toDelta(request));
  }

  #stream(request: LocalXdsRequest): XdsStream {
    const { node } = request;
    let stream = this.#streams.get(node);
    if (stream === undefined) {
      stream = this.#options.server.open(node, {
        send: (response) => this.#send(node, response),
        writable: () => !this.#socket.destroyed && this.#socket.writableLength < HIGH_WATER,
      });
      this.#streams.set(node, stream);
      this.#options.onNode?.(node, request.metadata);
    }
    return stream;
  }

  /** A LocalXdsResponse; put together by hand because the resources are JSON text already. */
  #send(node: string, response: DeltaResponse): void {
    const resources = response.resources
      .map((each) => `{"name":${JSON.stringify(each.name)},"version":"${each.version}","resource":${each.json}}`)
      .join(',');
    const head = JSON.stringify({ node, typeUrl: response.typeUrl, nonce: response.nonce, removed: response.removed });
    this.#socket.write(`${head.slice(0, -1)},"resources":[${resources}]}\n`);
  }

  #fail(message: string): void {
    this.#options.onProblem?.(`local xDS: ${message}; closing the connection`);
    this.#socket.destroy();
  }
}
