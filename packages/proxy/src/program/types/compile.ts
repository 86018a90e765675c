/** What compilers are given and give back. */
import type { Any, JsonObject, types } from '@mizzen/xds';
import type { Clock, Deps, Random } from '../../deps.ts';
import type { WorkloadPeer } from '../../istio/peer.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { GrpcCalls } from '../../telemetry/grpc-calls.ts';
import type { TaggedStats } from '../../telemetry/tagged.ts';
import type { SpanFlush } from '../../tracing/batch.ts';
import type { RetryProgram } from '../../types/route.ts';
import type { Nack } from '../../types/trace.ts';
import type { UpstreamCluster } from '../../types/upstream.ts';

/** Either the program or every reason why there is none. */
export type Compiled<T> =
  | { readonly program: T; readonly nacks?: undefined }
  | { readonly program?: undefined; readonly nacks: readonly Nack[] };

/** Fields of a secret of which one says what it is. */
export type SecretKind = 'tlsCertificate' | 'validationContext' | 'sessionTicketKeys';

/** What compiled filters reach for. The simulator brings its own. */
export interface CompileDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly routeTimes?: Deps['routeTimes'];
  /** Sends one GET through a cluster (remote JWKS). Rejects on timeout and connection failure; undefined: nobody is there. */
  readonly fetch: (request: HttpFetch) => Promise<{ readonly status: number; readonly body: Buffer }> | undefined;
  /** Sends requests of the proxy's own through clusters. */
  readonly calls: UpstreamCalls;
  /** The counter of that full name (`http.ingress.rbac.allowed`), the same object for the same name. */
  readonly counter: (name: string) => Counter;
  /** Reads a file that a `dataSource` names. Throws what `readFileSync` throws. */
  readonly readFile: (path: string) => Buffer;
  /** Why nothing can be written to the end of a file, which need not be there yet; undefined: it can, or nobody looks. */
  readonly cannotAppend?: (path: string) => string | undefined;
  /** Whether the proxy itself speaks HTTP/2 to a cluster, as to a management server; nobody else can. */
  readonly speaksHttp2?: (cluster: string) => boolean;
  /** Whether a cluster is there now; undefined where nobody knows. */
  readonly hasCluster?: (name: string) => boolean;
  /** Whether the bootstrap has a secret of that name and kind; undefined where nobody knows. */
  readonly hasSecret?: (name: string, kind: SecretKind) => boolean;
  /** A cluster that connects to whatever host requests name; undefined: there is none of that name. Absent where nobody knows. */
  readonly forwardProxy?: (name: string) => UpstreamCluster | undefined;
  /** Somebody has said that the proxy is not to get requests any more. */
  readonly healthFailed?: () => boolean;
  /** Under which name a cluster's statistics are; undefined: there is no such cluster. Absent where nobody knows. */
  readonly clusterStatName?: (cluster: string) => string | undefined;
  /** How many hosts a cluster has; undefined: there is no such cluster. */
  readonly clusterMembers?: (
    cluster: string,
  ) => { readonly total: number; readonly healthy: number; readonly degraded: number } | undefined;
  /** Where gRPC calls to a cluster are counted; undefined: there is no such cluster. */
  readonly grpcCalls?: (cluster: string) => GrpcCalls | undefined;
  /** The cluster that the proxy itself is part of (`--service-cluster`), where that is known. */
  readonly serviceCluster?: string;
  /** Where values that runtime keys name are; undefined: the defaults count. */
  readonly runtime?: Runtime | undefined;
  /** Filter configurations that come by themselves; undefined: there are none. */
  readonly extensions?: ExtensionLookup;
  /** Tracing of connection managers that name no provider, from the bootstrap. */
  readonly bootstrapTracing?: types.traceConfig.Tracing_Http | undefined;
  /** When spans leave; absent: as Envoy's do. */
  readonly spanFlush?: SpanFlush | undefined;
  readonly zone?: string;
  /** By which others know this machine. */
  readonly outerAddress?: string;
  /** The id of the node, where it is known. */
  readonly nodeId?: string;
  /** What the node says of itself, where it is known. */
  readonly nodeMetadata?: JsonObject;
  /** The workload of this machine whose alone an identity is; undefined: none, or nobody knows. */
  readonly workloadOf?: (principal: string) => WorkloadPeer | undefined;
  /** Metadata of a cluster, by filter name; undefined: it has none, or is not there. */
  readonly clusterMetadata?: (name: string) => Readonly<Record<string, JsonObject>> | undefined;
  /** Where statistics with tags are kept; undefined: nobody wants them. */
  readonly tagged?: TaggedStats;
  /** An environment variable that a `dataSource` or %ENVIRONMENT% names. */
  readonly env: (name: string) => string | undefined;
}

/** Configurations of filters that are discovered, by name, and what is kept of listeners that are compiled with them. */
export interface ExtensionLookup {
  config(name: string): Any | undefined;
  /** It is not in force yet, and may be refused. */
  isTried(name: string): boolean;
  readonly compiled: WeakMap<object, CompiledParts>;
}

/** A resource as it was read, and what became of parts of it: those that do not change stay the same objects. */
export interface CompiledParts {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly made: Map<string, { readonly config: object; readonly part: unknown }>;
}

/** A filter of a listener whose configuration comes by itself. */
export interface DiscoveredExtension {
  readonly kind: 'http_filter' | 'network_filter' | 'tcp_listener_filter';
  readonly name: string;
  /** The listener is not used before there has been an answer. */
  readonly waits: boolean;
}

/** A resource that another one names, and the source it is to be had from: undefined is the bootstrap. */
export interface ResourcePlace {
  readonly kind: 'endpoint' | 'route' | 'secret' | 'runtime' | 'extension';
  readonly name: string;
  readonly source: types.core.ConfigSource | undefined;
}

export interface HttpFetch {
  readonly cluster: string;
  readonly uri: string;
  readonly timeout: number;
  readonly retry?: RetryProgram | undefined;
}

/** Calls that filters make. A call that fails rejects with a CallError; a cancelled one never settles. */
export interface UpstreamCalls {
  readonly http: (call: HttpCall) => PendingCall<HttpAnswer>;
  readonly grpc: (call: GrpcCall) => PendingCall<JsonObject>;
  /** A service that takes log entries; the same one for the same settings. */
  readonly logs: (service: LogService) => (entry: JsonObject) => void;
}

/** Where log entries go, and how many at a time. */
export interface LogService {
  readonly kind: 'http' | 'tcp';
  readonly cluster: string;
  /** Empty: the cluster's name. */
  readonly authority: string;
  readonly metadata: readonly (readonly [string, string])[];
  readonly skipEnvoyHeaders: boolean;
  readonly logName: string;
  /** Milliseconds between messages. */
  readonly interval: number;
  /** A message goes once its entries are this long; 0: each by itself. */
  readonly bytes: number;
}

export interface PendingCall<T> {
  readonly answer: Promise<T>;
  /** It has failed at once, and `answer` rejects: whoever waits for it need not wait. */
  readonly failed?: boolean;
  cancel(): void;
}

export interface HttpCall {
  readonly cluster: string;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  /** Name and value in turn, framing left out. */
  readonly headers: readonly string[];
  /** Undefined: there is none, and no length is told. */
  readonly body: Buffer | undefined;
  /** The body goes in chunks. */
  readonly chunked?: boolean;
  readonly timeout: number;
  /** Who is said to ask. */
  readonly forwardedFor?: string;
  /** What is tried again, unless its cluster says that. */
  readonly retry?: RetryProgram | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** Name and value in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** One request and one answer; messages are JSON, in the shape that their types have in the xds package. */
export interface GrpcCall {
  readonly cluster: string;
  /** Empty: the cluster's name. */
  readonly authority: string;
  /** `envoy.service.auth.v3.Authorization/Check` */
  readonly method: string;
  readonly request: object;
  readonly requestType: string;
  readonly answerType: string;
  readonly metadata: readonly (readonly [string, string])[];
  readonly timeout: number;
  /** The largest message that may be answered, bytes. */
  readonly maxAnswer?: number | undefined;
  /** Without the fields by which Envoy says that a call is its own. */
  readonly skipEnvoyHeaders?: boolean;
}

export interface Counter {
  value: number;
}
