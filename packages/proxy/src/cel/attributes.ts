import type { JsonObject, JsonValue } from '@mizzen/xds';
import { filterStateOf } from '../filter-state/state.ts';
import { requestHeader } from '../program/match/header.ts';
import { pathOnly } from '../program/match/query.ts';
import type { LogSource } from '../program/types.ts';
import { wire, wireJson } from '../program/values.ts';
import { numericFlags } from '../telemetry/access-log-flags.ts';
import { grpcStatusOf } from '../telemetry/access-log-grpc.ts';
import { upstreamPeer } from '../telemetry/access-log-upstream.ts';
import type { PeerTls, RequestHead, StreamInfo } from '../types.ts';
import { ExpressionError } from './ast.ts';
import { printMetadata } from './print-metadata.ts';
import { Bytes, CelMap, Duration, NamedValues, Timestamp, Uint, UNKNOWN, type Value } from './values.ts';

/** A name that expressions may begin with. */
export interface Root {
  /** One of its attributes; undefined: it is not there. */
  readonly get: (source: LogSource, name: string) => Value | undefined;
  /** All of it, as one value. */
  readonly whole: (source: LogSource) => Value;
  /** Throws ExpressionError for an attribute that Envoy knows and this proxy does not. */
  readonly check?: (name: string) => void;
}

type Attribute = (source: LogSource) => Value | undefined;

function root(attributes: Readonly<Record<string, Attribute>>, unknown: readonly string[] = []): Root {
  const get = (source: LogSource, name: string): Value | undefined =>
    Object.hasOwn(attributes, name) ? attributes[name]!(source) : undefined;
  const count = Object.keys(attributes).length + unknown.length;
  return {
    get,
    whole: (source) =>
      new NamedValues(
        (name) => get(source, name),
        () => count,
      ),
    check: (name) => {
      if (unknown.includes(name)) throw new ExpressionError(`reads \`${name}\`, which is not known here`);
    },
  };
}

// ---- fields of requests and responses

interface Fields {
  readonly flat: readonly string[];
}

/** All values under a name, in one text. */
function field({ flat }: Fields, name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < flat.length; i += 2)
    if (flat[i] === name) value = value === undefined ? flat[i + 1] : `${value},${flat[i + 1]}`;
  return value;
}
const PSEUDO = [':authority', ':method', ':path', ':scheme'];

function requestFields(request: RequestHead): CelMap {
  return new NamedValues(
    (given) => {
      const name = given.toLowerCase();
      if (!name.startsWith(':') && name !== 'host') return field(request.headers, name);
      const value = requestHeader(request, name);
      return value === '' ? undefined : value;
    },
    () => request.headers.flat.length / 2 + ofLine(request).length,
    () => fieldsAsJson([...ofLine(request).flat(), ...request.headers.flat]),
  );
}
/** The fields that the request line stands for. */
function ofLine(request: RequestHead): [string, string][] {
  return PSEUDO.flatMap((name) => {
    const value = requestHeader(request, name) ?? '';
    return value === '' ? [] : [[name, value] as [string, string]];
  });
}
function fieldsAsJson(flat: readonly string[]): JsonValue {
  const names = [...new Set(flat.filter((_, i) => i % 2 === 0))].toSorted();
  return Object.fromEntries(names.map((name) => [name, field({ flat }, name)!]));
}
function fieldBytes({ flat }: Fields): number {
  let bytes = 0;
  for (const part of flat) bytes += part.length;
  return bytes;
}
function requestBytes(request: RequestHead): number {
  let bytes = fieldBytes(request.headers);
  for (const name of PSEUDO) {
    const value = requestHeader(request, name) ?? '';
    if (value !== '') bytes += name.length + value.length;
  }
  return bytes;
}
const of =
  (read: (request: RequestHead) => Value | undefined): Attribute =>
  ({ request }) =>
    request === undefined ? undefined : read(request);
const header = (name: string): Attribute => of((request) => request.headers.get(name));

function since(milliseconds: number): Duration {
  return new Duration(BigInt(Math.round(milliseconds * 1000)) * 1000n);
}

const request = root({
  path: of(({ path }) => path || undefined),
  url_path: of(({ path }) => pathOnly(path) || undefined),
  query: of(({ method, path }) => {
    if (method === '') return undefined;
    const query = path.indexOf('?');
    return query < 0 ? '' : path.slice(query + 1).replace(/#.*$/, '');
  }),
  host: of(({ authority, hostIsEmpty }) => (authority === '' && hostIsEmpty !== true ? undefined : authority)),
  scheme: of(({ scheme }) => scheme || undefined),
  method: of(({ method }) => method || undefined),
  referer: header('referer'),
  useragent: header('user-agent'),
  id: header('x-request-id'),
  headers: of(requestFields),
  time: ({ info, request: head }) =>
    head === undefined ? undefined : new Timestamp(BigInt(Math.round(info.startWall * 1000)) * 1000n),
  size: ({ info, request: head }) => {
    const declared = head?.headers.get('content-length');
    if (head === undefined) return undefined;
    return declared !== undefined && /^\d+$/.test(declared) ? BigInt(declared) : BigInt(info.bytesReceived);
  },
  total_size: ({ info, request: head }) =>
    head === undefined ? undefined : BigInt(info.bytesReceived + requestBytes(head)),
  duration: ({ info, request: head }) =>
    head === undefined || info.responseEndTime < 0 ? undefined : since(info.responseEndTime - info.startTime),
  protocol: ({ info, request: head }) => (head === undefined || info.protocol === '' ? undefined : info.protocol),
});

// ---- the response

const response = root({
  code: ({ info }) => (info.responseCode === 0 ? undefined : BigInt(info.responseCode)),
  code_details: ({ info }) => (info.responseCodeDetails === '' ? undefined : info.responseCodeDetails),
  flags: ({ info }) => numericFlags(info.responseFlags),
  headers: ({ response: head }) =>
    head === undefined
      ? undefined
      : new NamedValues(
          (name) => (name === ':status' ? String(head.status) : field(head.headers, name.toLowerCase())),
          () => head.headers.flat.length / 2 + 1,
          () => fieldsAsJson([':status', String(head.status), ...head.headers.flat]),
        ),
  trailers: ({ trailers = [] }) =>
    new NamedValues(
      (name) => field({ flat: trailers }, name.toLowerCase()),
      () => trailers.length / 2,
      () => fieldsAsJson(trailers),
    ),
  grpc_status: (source) => {
    const status = grpcStatusOf(source);
    return status === undefined ? undefined : BigInt(status);
  },
  size: ({ info }) => BigInt(info.bytesSent),
  total_size: ({ info, response: head, trailers = [] }) =>
    BigInt(
      info.bytesSent +
        (head === undefined ? 0 : fieldBytes(head.headers) + ':status'.length + 3) +
        fieldBytes({ flat: trailers }),
    ),
  backend_latency: ({ info }) =>
    info.upstreamStartTime < 0 || info.upstreamResponseTime === undefined || info.upstreamResponseTime < 0
      ? undefined
      : since(info.upstreamResponseTime - info.upstreamStartTime),
});

// ---- connections

const tls =
  (which: (info: StreamInfo) => PeerTls | undefined, read: (tls: PeerTls) => string | undefined): Attribute =>
  ({ info }) => {
    const known = which(info);
    const value = known === undefined ? undefined : read(known);
    return value === '' ? undefined : value;
  };
function peer(which: (info: StreamInfo) => PeerTls | undefined): Readonly<Record<string, Attribute>> {
  return {
    tls_version: tls(which, (known) => known.version),
    subject_peer_certificate: tls(which, (known) => known.subject),
    subject_local_certificate: tls(which, (known) => known.local?.subject),
    uri_san_peer_certificate: tls(which, (known) => known.uriSans[0]),
    uri_san_local_certificate: tls(which, (known) => known.localUriSan),
    dns_san_peer_certificate: tls(which, (known) => known.dnsSans[0]),
    dns_san_local_certificate: tls(which, (known) => known.local?.names.dns[0]),
    sha256_peer_certificate_digest: tls(which, (known) => known.peerFingerprint),
  };
}
const uint = (value: number): Uint => new Uint(BigInt(value));

function joined(address: string, port: number): string | undefined {
  if (address === '') return undefined;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
const remotePort = ({ remoteAddress, connection }: StreamInfo): number =>
  remoteAddress === connection.directRemoteAddress ? connection.remotePort : 0;
function portOf(authority: string): bigint | undefined {
  const port = /:(\d+)$/.exec(authority)?.[1];
  return port === undefined ? undefined : BigInt(port);
}

const connection = root({
  id: ({ info }) => uint(info.connection.id),
  mtls: ({ info }) => info.connection.tls?.authenticated === true,
  requested_server_name: ({ info }) => info.connection.requestedServerName,
  ...peer((info) => info.connection.tls),
  termination_details: ({ info }) => info.connectionTerminationDetails,
  transport_failure_reason: ({ info }) => info.downstreamTransportFailureReason,
});
const source = root({
  address: ({ info }) => joined(info.remoteAddress, remotePort(info)),
  port: ({ info }) => BigInt(remotePort(info)),
});
const destination = root({
  address: ({ info }) => joined(info.connection.localAddress, info.connection.localPort),
  port: ({ info }) => BigInt(info.connection.localPort),
});
const upstream = root(
  {
    address: ({ info }) => (info.upstreamHost === '' ? undefined : info.upstreamHost),
    port: ({ info }) => portOf(info.upstreamHost),
    local_address: ({ info }) => (info.upstreamLocalAddress === '' ? undefined : info.upstreamLocalAddress),
    transport_failure_reason: ({ info }) => info.upstreamFailureReason,
    request_attempt_count: ({ info }) => uint(info.attemptCount),
    cx_pool_ready_duration: ({ info: { poolWaitStart, poolReady } }) =>
      poolWaitStart === undefined || poolReady === undefined || poolWaitStart < 0 || poolReady < 0
        ? undefined
        : since(poolReady - poolWaitStart),
    ...peer(upstreamPeer),
  },
  ['locality', 'num_endpoints'],
);

// ---- what filters and the configuration say

function json(value: JsonValue | undefined): Value | undefined {
  if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') return wire(value);
  if (Array.isArray(value)) return value.map((item) => json(item as JsonValue)!);
  return new JsonMap(value as JsonObject);
}
class JsonMap extends CelMap {
  readonly #value: JsonObject;
  override readonly json: () => JsonValue;
  constructor(value: JsonObject) {
    super();
    this.#value = value;
    this.json = () => wireJson(value)!;
  }
  get(key: Value): Value | undefined {
    return typeof key === 'string' && Object.hasOwn(this.#value, key) ? json(this.#value[key]) : undefined;
  }
  get size(): number {
    return Object.keys(this.#value).length;
  }
}

class Metadata extends NamedValues {
  override readonly print: () => string;
  constructor(value: Readonly<Record<string, JsonObject>>) {
    super(
      (name) => (name === 'filter_metadata' ? new JsonMap(value) : undefined),
      () => 1,
      () => wireJson(Object.keys(value).length === 0 ? {} : { filter_metadata: value as JsonObject })!,
    );
    this.print = () => printMetadata(value);
  }
}
function metadata(get: (info: StreamInfo) => Readonly<Record<string, JsonObject>> | undefined): Root {
  const whole = ({ info }: LogSource): Metadata => new Metadata(get(info) ?? {});
  return { get: (from, name) => whole(from).get(name), whole };
}
const dynamicMetadata = metadata((info) => info.dynamicMetadata);
const routeMetadata = metadata((info) => info.routeMetadata);
const virtualHostMetadata = metadata((info) => info.virtualHostMetadata);

function stateValue({ info }: LogSource, key: string): Value | undefined {
  const object = filterStateOf(info, key);
  if (object === undefined) return undefined;
  const { fields, struct } = object;
  if (struct !== undefined) return json(struct);
  if (fields !== undefined) {
    return new NamedValues(
      (name) => {
        const value = fields[name];
        return typeof value === 'number' ? BigInt(value) : value;
      },
      () => Object.keys(fields).length,
    );
  }
  return object.text === undefined ? undefined : new Bytes(object.text);
}
const filterState: Root = {
  get: stateValue,
  whole: (from) =>
    new NamedValues(
      (key) => stateValue(from, key),
      () => 0,
    ),
};
/** A root that is one object of the filter state. */
export function stateRoot(key: string): Root {
  return {
    get: (source, name) => {
      const value = stateValue(source, key);
      return value instanceof CelMap ? value.get(name) : undefined;
    },
    whole: (source) => stateValue(source, key) ?? UNKNOWN,
  };
}

/** A root that is the same for everybody. */
export function jsonRoot(value: JsonObject): Root {
  const map = new JsonMap(value);
  return { get: (_source, name) => map.get(name), whole: () => map };
}
const NOTHING = new NamedValues(
  () => undefined,
  () => 0,
);

const xds = root(
  {
    cluster_name: ({ info }) => (info.upstreamCluster === '' ? undefined : wire(info.upstreamCluster)),
    route_name: ({ info }) =>
      info.routeName === '' && info.virtualHostName === undefined ? undefined : wire(info.routeName),
    virtual_host_name: ({ info }) => (info.virtualHostName === undefined ? undefined : wire(info.virtualHostName)),
    route_metadata: (from) => routeMetadata.whole(from),
    virtual_host_metadata: (from) => virtualHostMetadata.whole(from),
    filter_chain_name: ({ info }) => wire(info.filterChainName ?? info.connection.filterChainName ?? ''),
  },
  [
    'node',
    'cluster_metadata',
    'upstream_host_metadata',
    'upstream_host_locality_metadata',
    'listener_metadata',
    'listener_direction',
  ],
);

export const ROOTS: Readonly<Record<string, Root>> = {
  request,
  response,
  connection,
  source,
  destination,
  upstream,
  metadata: dynamicMetadata,
  filter_state: filterState,
  upstream_filter_state: { get: () => undefined, whole: () => NOTHING },
  xds,
};
