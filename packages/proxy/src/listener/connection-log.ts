import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../deps.ts';
import type { AccessLogSink } from '../http/runtime.ts';
import type { AccessLogProgram } from '../program/types.ts';
import type { ConnectionInfo, StreamInfo } from '../types.ts';
import { newStreamInfo } from './stream-info.ts';

/** A listener's own access log: a line for every connection, whatever became of it. */
export class ConnectionLog {
  /** Filled in as more becomes known. */
  connection: ConnectionInfo;
  flags = 0;
  transportFailure = '';
  terminationDetails = '';
  filterChainName = '';
  readonly #start: StreamInfo;
  readonly #clock: Clock;

  constructor(connection: ConnectionInfo, clock: Clock) {
    this.connection = connection;
    this.#clock = clock;
    this.#start = newStreamInfo(connection, clock);
  }

  /** Once the connection is closed. */
  write(socket: Socket | TLSSocket, logs: readonly AccessLogProgram[], sinks: readonly AccessLogSink[]): void {
    const info: StreamInfo = {
      ...this.#start,
      connection: this.connection,
      responseEndTime: this.#clock.now(),
      bytesReceived: socket.bytesRead,
      bytesSent: socket.bytesWritten,
      responseFlags: this.flags,
      connectionTerminationDetails: this.terminationDetails,
      downstreamTransportFailureReason: this.transportFailure,
      filterChainName: this.filterChainName,
    };
    writeLogs({ info }, logs, sinks);
  }
}

/** Lines of those logs that want this one. */
export function writeLogs(
  source: { readonly info: StreamInfo },
  logs: readonly AccessLogProgram[],
  sinks: readonly AccessLogSink[],
): void {
  for (const [index, log] of logs.entries()) {
    if (log.shouldLog === undefined || log.shouldLog(source)) sinks[index]?.write(log.format(source));
  }
}
