import { unlinkSync } from 'node:fs';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { FrameReader, FramingError } from '@mizzen/proxy/grpc/framing.ts';
import { decode } from '@mizzen/xds/binary/index.ts';
import type { HttpEntry, LogMessage, TcpEntry } from './entries.ts';

/** Takes the entries of one stream: of one log of one proxy. */
export interface EntrySink {
  http(entry: HttpEntry): void;
  tcp(entry: TcpEntry): void;
  end(): void;
}

export interface LogServerOptions {
  /** Path of the unix socket. */
  readonly path: string;
  /** Undefined: nobody is interested. */
  readonly open: (node: string, logName: string) => EntrySink | undefined;
  readonly onProblem: (message: string) => void;
}

const PATH = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
const MAX_MESSAGE = 16 << 20;
const UNIMPLEMENTED = '12';
/** As Envoy itself: many messages are under way before anybody has to wait. */
const WINDOW = 1 << 20;

/** Envoy's gRPC access log service, for Envoys of this machine. */
export class LogServer {
  readonly #server: Http2Server;
  readonly #options: LogServerOptions;

  constructor(options: LogServerOptions) {
    this.#options = options;
    this.#server = createServer({ settings: { initialWindowSize: WINDOW } });
    this.#server.on('session', (session) => session.on('error', () => undefined));
    this.#server.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', () => undefined);
      if (headers[':path'] === PATH) return this.#serve(stream);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': UNIMPLEMENTED });
      stream.end();
    });
  }

  async listen(): Promise<void> {
    const { path } = this.#options;
    try {
      // Of a process that died.
      if (process.platform !== 'win32') unlinkSync(path);
    } catch {
      // There is none.
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, () => resolve());
    });
  }

  #serve(stream: ServerHttp2Stream): void {
    const { open, onProblem } = this.#options;
    const reader = new FrameReader(MAX_MESSAGE);
    let sink: EntrySink | undefined;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const message of reader.push(chunk)) {
          const { identifier, httpLogs, tcpLogs } = decode(MESSAGE, message) as LogMessage;
          // Only the first message of a stream says whose it is.
          if (identifier !== undefined) sink = open(identifier.node?.id ?? '', identifier.logName ?? '');
          for (const entry of httpLogs?.logEntry ?? []) sink?.http(entry);
          for (const entry of tcpLogs?.logEntry ?? []) sink?.tcp(entry);
        }
      } catch (error) {
        onProblem(`an Envoy logs what cannot be read: ${error instanceof Error ? error.message : String(error)}`);
        if (!(error instanceof FramingError)) return;
        stream.close();
      }
    });
    stream.on('end', () => stream.end());
    stream.on('close', () => sink?.end());
  }
}

const MESSAGE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';
