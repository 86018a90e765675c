import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../deps.ts';
import type { AccessLogger } from '../telemetry/open-logs.ts';
import { ResponseFlag, type ConnectionInfo, type StreamInfo } from '../types.ts';
import { newStreamInfo } from './stream-info.ts';

/** A listener's own access log: a line for every connection, whatever became of it. */
export class ConnectionLog {
  /** Shared with a TCP proxy, which fills in where the connection went. */
  readonly info: StreamInfo;
  /** Where payload comes and goes: within TLS once that has begun. */
  socket: Socket | TLSSocket;
  /** Requests are expected. */
  http = false;
  /** A TCP proxy has it: only then is what went over the wire counted. */
  tcp = false;
  /** A filter chain has the connection. */
  begun = false;
  /** Bytes that listener filters took off the socket. */
  dropped = 0;
  readonly #clock: Clock;
  #failed = false;

  constructor(socket: Socket | TLSSocket, connection: ConnectionInfo, clock: Clock) {
    this.socket = socket;
    this.info = newStreamInfo(connection, clock);
    this.#clock = clock;
  }

  set connection(connection: ConnectionInfo) {
    this.info.connection = connection;
    this.info.remoteAddress = connection.directRemoteAddress;
  }

  /** Once the connection is closed. */
  write(loggers: readonly AccessLogger[]): void {
    const { info, socket } = this;
    const begun = this.begun && !this.#failed;
    info.responseEndTime = this.#clock.now();
    info.bytesReceived = begun ? socket.bytesRead - this.dropped - (info.connection.unread ?? 0) : 0;
    info.bytesSent = begun ? socket.bytesWritten : 0;
    const { protocolError } = info.connection;
    if (protocolError !== undefined) info.responseFlags |= ResponseFlag.DPE;
    if (this.http && info.bytesReceived > 0 && protocolError !== 'at first') info.protocol = 'HTTP/1.1';
    if (this.tcp) info.connection.upstreamCloseType ??= 'Normal';
    else info.wireBytesReceived = info.wireBytesSent = 0;
    for (const log of loggers) log({ info, logType: 'NotSet' });
  }

  /** The connection never carried payload. */
  fail(change: Partial<StreamInfo>): void {
    this.#failed = true;
    Object.assign(this.info, change);
  }
}
