import type { TraceReason } from '../../tracing/request-id.ts';
import type { RequestHead, ResponseHead, StreamInfo } from '../../types/request.ts';

/** What a log line is made of. An HttpStream is one; a TCP connection gives only `info`. */
export interface LogSource {
  readonly info: StreamInfo;
  /** Why there is a line; undefined: there is none, and fields of heads are made. */
  readonly logType?: AccessLogType | undefined;
  readonly request?: RequestHead | undefined;
  readonly response?: ResponseHead | undefined;
  /** Response trailers, name and value in turn. */
  readonly trailers?: readonly string[] | undefined;
  /** Undefined: nothing is traced here. */
  readonly tracing?: { readonly ids: SpanIds | undefined; readonly reason: TraceReason } | undefined;
}

/** Which span a request is, in hexadecimal. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
  /** Access logs do not get to know its own id, or none of both, as of Envoy's spans of this kind. */
  readonly keepsId?: boolean | 'both';
}

/** `ACCESS_LOG_TYPE`, as Envoy spells it. */
export type AccessLogType =
  | 'NotSet'
  | 'TcpConnectionStart'
  | 'TcpUpstreamConnected'
  | 'TcpPeriodic'
  | 'TcpConnectionEnd'
  | 'DownstreamStart'
  | 'DownstreamPeriodic'
  | 'DownstreamEnd'
  | 'DownstreamTunnelSuccessfullyEstablished'
  | 'UpstreamPoolReady'
  | 'UpstreamPeriodic'
  | 'UpstreamEnd';

export interface AccessLogProgram {
  readonly shouldLog: ((source: LogSource) => boolean) | undefined;
  readonly target: AccessLogFile | AccessLogService;
}

export interface AccessLogFile {
  /** A file, or `/dev/stdout`, `/dev/stderr`. */
  readonly path: string;
  /** The whole line, newline included. */
  format(source: LogSource): string;
}

/** Takes entries and sends them on. */
export interface AccessLogService {
  log(source: LogSource): void;
}
