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

/*
 * What a client says stands between quotes, and may hold quotes itself. So a line is read in three parts, each found from
 * where the one before it ends: a single expression for all of it tries every division of a hostile line into parts.
 */
const START = /^\[([^\]]+)\] "(\S*) /;
const ANSWER = / (\S*)" (\d+) (\S*) (\S*) /g;
const SIZES = /" (-?\d+) (-?\d+) (\S+) \S* "/g;
const END = /" "([^"]*)" "([^"]*)" "([^"]*)" (\S*) \S* (\S*) (\S*) (\S*) \S*$/;

function parseText(line: string): LoggedRequest | undefined {
  const start = START.exec(line);
  if (start === null) return undefined;
  const pathAt = start[0].length;
  const answer = after(ANSWER, line, pathAt - 1);
  const sizes = answer && after(SIZES, line, endOf(answer));
  const end = sizes && END.exec(line.slice(endOf(sizes)));
  if (!answer || !sizes || !end) return undefined;
  const [, time, method] = start;
  const [, protocol, status, flags, details] = answer;
  const [, received, sent, duration] = sizes;
  const [, requestId, authority, host, cluster, local, remote, serverName] = end;
  return {
    time: said(time),
    method: said(method),
    path: said(line.slice(pathAt, answer.index)),
    protocol: said(protocol),
    status: Number(status),
    flags: said(flags),
    details: said(details),
    bytesReceived: Math.max(0, Number(received)),
    bytesSent: Math.max(0, Number(sent)),
    duration: Number(said(duration)) || 0,
    requestId: said(requestId),
    traceId: '',
    authority: said(authority),
    upstreamHost: said(host),
    upstreamCluster: said(cluster),
    downstreamLocalAddress: said(local),
    downstreamRemoteAddress: said(remote),
    requestedServerName: said(serverName),
  };
}

/** The first match of a global expression from a place on. */
function after(expression: RegExp, line: string, from: number): RegExpExecArray | undefined {
  expression.lastIndex = from;
  return expression.exec(line) ?? undefined;
}

const endOf = ({ index, 0: text }: RegExpExecArray): number => index + text.length;

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
