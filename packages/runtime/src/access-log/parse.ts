/** A line of an access log in Istio's own format. Empty: the proxy had nothing to say (`-`). */
export interface LoggedRequest {
  /** ISO 8601. */
  readonly time: string;
  /** Empty for connections that are only bytes. */
  readonly method: string;
  readonly path: string;
  readonly protocol: string;
  readonly status: number;
  readonly flags: string;
  readonly details: string;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly requestId: string;
  /** Where the format has it. */
  readonly traceId: string;
  readonly authority: string;
  /** `ADDRESS:PORT` */
  readonly upstreamHost: string;
  readonly upstreamCluster: string;
  readonly downstreamLocalAddress: string;
  readonly downstreamRemoteAddress: string;
  readonly requestedServerName: string;
}

/** What is longer nobody reads in a terminal. */
const LONGEST = 32 * 1024;

/** Undefined: it is in another format than Istio's own, as text or as JSON. */
export function parseAccessLine(line: string): LoggedRequest | undefined {
  if (line.length > LONGEST) return undefined;
  return line.startsWith('{') ? parseJson(line) : parseText(line);
}

/** What a client says stands between quotes; a line ends with what has none. */
const TEXT =
  /^\[([^\]]+)\] "(\S*) (.*) (\S*)" (\d+) (\S*) (\S*) .*? ".*?" (-?\d+) (-?\d+) (\S+) \S* ".*" ".*" "([^"]*)" "([^"]*)" "([^"]*)" (\S*) \S* (\S*) (\S*) (\S*) \S*$/;

function parseText(line: string): LoggedRequest | undefined {
  const found = TEXT.exec(line);
  if (found === null) return undefined;
  const of = (i: number): string => said(found[i]);
  return {
    time: of(1),
    method: of(2),
    path: of(3),
    protocol: of(4),
    status: Number(found[5]),
    flags: of(6),
    details: of(7),
    bytesReceived: Math.max(0, Number(found[8])),
    bytesSent: Math.max(0, Number(found[9])),
    duration: Number(of(10)) || 0,
    requestId: of(11),
    traceId: '',
    authority: of(12),
    upstreamHost: of(13),
    upstreamCluster: of(14),
    downstreamLocalAddress: of(15),
    downstreamRemoteAddress: of(16),
    requestedServerName: of(17),
  };
}

function parseJson(line: string): LoggedRequest | undefined {
  const value = parse(line);
  if (value === undefined || typeof value['start_time'] !== 'string' || value['response_code'] === undefined) {
    return undefined;
  }
  const text = (name: string): string => {
    const each = value[name];
    return typeof each === 'string' ? said(each) : typeof each === 'number' ? String(each) : '';
  };
  const number = (name: string): number => Math.max(0, Number(text(name)) || 0);
  return {
    time: text('start_time'),
    method: text('method'),
    path: text('path'),
    protocol: text('protocol'),
    status: number('response_code'),
    flags: text('response_flags'),
    details: text('response_code_details'),
    bytesReceived: number('bytes_received'),
    bytesSent: number('bytes_sent'),
    duration: number('duration'),
    requestId: text('request_id'),
    traceId: text('trace_id'),
    authority: text('authority'),
    upstreamHost: text('upstream_host'),
    upstreamCluster: text('upstream_cluster'),
    downstreamLocalAddress: text('downstream_local_address'),
    downstreamRemoteAddress: text('downstream_remote_address'),
    requestedServerName: text('requested_server_name'),
  };
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

const said = (text: string | undefined): string => (text === undefined || text === '-' ? '' : text);
