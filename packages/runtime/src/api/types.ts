/** What the API of a running mesh answers with. The same shapes as JSON Schemas: docs/reference/schemas. */

/** GET /ready: 200 when `ready`, else 503. */
export interface ReadyAnswer {
  readonly ready: boolean;
  readonly waiting: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly ready: number;
    readonly replicas: number;
    readonly state: string;
  }[];
}

/** GET /api/workloads */
export interface WorkloadsAnswer {
  readonly workloads: readonly WorkloadAnswer[];
}

/** GET /api/workloads/NAMESPACE/NAME */
export interface WorkloadAnswer {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly replicas: number;
  readonly ready: number;
  readonly gateway: boolean;
  readonly standIn: boolean;
  /** What its proxies are: `mizzen` (its own) or `envoy`; empty without any. */
  readonly engine: 'mizzen' | 'envoy' | '';
  readonly serviceAccount: string;
  /** SPIFFE id; empty without a proxy. */
  readonly identity: string;
  readonly inboundRequests: number;
  readonly outboundRequests: number;
  readonly state: string;
  /** Names of its containers that run here; none for a gateway. */
  readonly containers: readonly string[];
  readonly pods: readonly PodAnswer[];
}

export interface PodAnswer {
  readonly name: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly message: string;
  /** Where its endpoints are. */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Envoy node id of its proxy; empty without one. */
  readonly node: string;
  /** `ADDRESS:PORT` of its sidecar's HTTP proxy; empty without one. */
  readonly httpProxy: string;
  /** Container port → local port of the application. */
  readonly applicationPorts: Readonly<Record<string, number>>;
  /** Gateways: server port → `127.0.0.1:PORT`. */
  readonly gatewayPorts: Readonly<Record<string, string>>;
}

/** GET /api/services */
export interface ServicesAnswer {
  readonly services: readonly ServiceAnswer[];
}
export interface ServiceAnswer {
  readonly hostname: string;
  readonly namespace: string;
  readonly registry: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly endpoints: readonly {
    readonly address: string;
    readonly port: number;
    readonly servicePort: number;
    readonly workload: string;
    readonly healthy: boolean;
    readonly mtls: boolean;
  }[];
}

/** GET /api/config/status */
export interface ConfigStatusAnswer {
  /** What `mizzen up` was given, and where it stood. */
  readonly paths: readonly string[];
  readonly meshConfig: string;
  readonly directory: string;
  readonly files: readonly string[];
  readonly resources: readonly ResourceAnswer[];
  readonly diagnostics: readonly DiagnosticAnswer[];
  readonly proxies: readonly ProxyAnswer[];
}
export interface ResourceAnswer {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** `FILE:LINE`; `<default>` for what Mizzen added. */
  readonly source: string;
  /** `last good`: the text has an error now, an earlier version is in force. `refused`: it has one and never had none. */
  readonly state: 'in force' | 'last good' | 'refused';
}
export interface DiagnosticAnswer {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly help: string;
}
export interface ProxyAnswer {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly connected: boolean;
  /** By `cluster`, `endpoint`, `listener`, `route`, `secret`, `extension`. */
  readonly types: Readonly<Record<string, string>>;
  readonly refusals: readonly {
    readonly type: string;
    readonly resource: string;
    readonly field: string;
    readonly message: string;
    /** `FILE:LINE` that it comes from; empty where that cannot be told. */
    readonly source: string;
  }[];
}

/** Every answer with a status of 400 and more. */
export interface ErrorAnswer {
  readonly error: { readonly code: string; readonly message: string };
}

/** GET /api/certificates: those of proxies that this control process knows of. */
export interface CertificatesAnswer {
  readonly certificates: readonly {
    readonly node: string;
    readonly namespace: string;
    readonly pod: string;
    readonly workload: string;
    /** SPIFFE id. This and what follows is empty where an earlier control process issued it. */
    readonly identity: string;
    readonly serial: string;
    /** ISO 8601. */
    readonly issuedAt: string;
    readonly expiresAt: string;
    /** When the proxy gets the next. */
    readonly rotatesAt: string;
  }[];
}

/** GET /api/workloads/NAMESPACE/NAME/logs */
export interface LogsAnswer {
  /** What `from` of the next request is to be. */
  readonly position: number;
  readonly lines: readonly {
    /** ISO 8601; empty, as are pod and container, for lines of access logs. */
    readonly time: string;
    readonly pod: string;
    readonly container: string;
    readonly stream: 'stdout' | 'stderr';
    readonly text: string;
    /** Of lines of access logs in Istio's own format, where it is known who asked. */
    readonly request?: AskedRequest;
  }[];
}

/** GET /api/graph, and each `graph` event of /api/graph/events: what runs, and what it sent within a window. */
export interface GraphAnswer {
  /** Seconds that rates are of. */
  readonly window: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  readonly id: string;
  /** `service`: none of its endpoints is known; `external`: not part of the mesh. */
  readonly kind: 'workload' | 'gateway' | 'service' | 'external';
  readonly namespace: string;
  readonly name: string;
  /** Workloads of one `app` (label) belong together. */
  readonly app: string;
  readonly version: string;
  readonly replicas: number;
  readonly ready: number;
  readonly state: string;
  readonly sidecar: boolean;
  readonly engine: 'mizzen' | 'envoy' | '';
  readonly health: Health;
  /** What others in the mesh sent to it; of a gateway, what it passed on. */
  readonly requestRate: number;
  readonly errorRate: number;
  /** As of an edge; of a gateway, also what it answered so by itself. */
  readonly clientErrorRate: number;
}

/**
 * `failing`: nothing ready, or one request in ten fails; `degraded`: not all ready, or some fail, or one in ten is
 * answered with a client error.
 */
export type Health = 'healthy' | 'degraded' | 'failing' | 'idle';

export interface GraphEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** Host name and port; empty for hosts that nobody declared. */
  readonly service: string;
  readonly port: number;
  readonly protocol: string;
  readonly mtls: boolean;
  /** Requests a second; connections where the protocol has no requests. */
  readonly requestRate: number;
  /** Of them a second: answers of 500 and more, resets, and those that got no endpoint. */
  readonly errorRate: number;
  /** Answers of 400 to 499 a second, and statuses of gRPC that are the client's fault; not among errors. */
  readonly clientErrorRate: number;
  readonly health: Health;
  /** Milliseconds; null when nothing was answered. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Latencies are those of all workloads that the service's requests went to. */
  readonly latencyShared: boolean;
}

/** GET /api/traces: the newest first. */
export interface TracesAnswer {
  readonly traces: readonly TraceSummary[];
  /** All that have spans here. */
  readonly services: readonly string[];
  readonly kept: {
    readonly traces: number;
    readonly spans: number;
    readonly bytes: number;
    /** Spans that came and are no longer, or never were, there. */
    readonly dropped: number;
    readonly bytesLimit: number;
    readonly ageLimitSeconds: number;
  };
}

export interface TraceSummary {
  readonly id: string;
  /** `x-request-id`; empty where no span says. */
  readonly requestId: string;
  /** Of the span that is nobody's child: its service and name, and what was asked for. */
  readonly service: string;
  readonly name: string;
  readonly method: string;
  readonly url: string;
  /** Of HTTP; 0: not said. */
  readonly status: number;
  /** ISO 8601. */
  readonly start: string;
  /** Milliseconds. */
  readonly duration: number;
  /** Spans with an error. */
  readonly errors: number;
  readonly spanCount: number;
  readonly services: readonly { readonly name: string; readonly spans: number }[];
  /** The first that a proxy of the mesh was asked to send. */
  readonly request: AskedRequest | null;
}

/** What a proxy was asked to send, which GET /api/explain can be asked about. */
export interface AskedRequest {
  readonly method: string;
  readonly url: string;
  readonly pod: string;
  readonly namespace: string;
  /** The proxy is a gateway. */
  readonly gateway: boolean;
}

/** GET /api/traces/ID: each span before its children. */
export interface TraceAnswer extends TraceSummary {
  readonly spans: readonly TraceSpanAnswer[];
}

export interface TraceSpanAnswer {
  readonly id: string;
  /** Empty: none. */
  readonly parent: string;
  readonly service: string;
  readonly name: string;
  readonly kind: 'client' | 'server' | 'producer' | 'consumer' | 'internal';
  /** 0: it is nobody's child. */
  readonly depth: number;
  /** Milliseconds since the trace began. */
  readonly start: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Of HTTP; 0: not said. */
  readonly status: number;
  readonly error: boolean;
  /** When the whole trace was waiting for this very span. */
  readonly critical: readonly { readonly start: number; readonly duration: number }[];
  readonly tags: Readonly<Record<string, string>>;
  /** `time`: milliseconds since the trace began. */
  readonly events: readonly { readonly time: number; readonly name: string }[];
  /** Null: nothing, or not said. */
  readonly request: AskedRequest | null;
}

/** GET /api/traffic: requests to every service within the last minutes, of Istio's standard metrics. */
export interface TrafficSummaryAnswer {
  readonly seconds: number;
  readonly services: readonly ({ readonly service: string } & TrafficTotal)[];
}

export interface TrafficTotal {
  readonly requests: number;
  readonly errors: number;
  /** Answers of 400 to 499, and statuses of gRPC that are the client's fault; not among errors. */
  readonly clientErrors: number;
  /** Milliseconds; null when nothing ended. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

/** GET /api/traffic?service=HOST and ?workload=NAMESPACE/NAME: the same second by second, or almost. */
export interface TrafficAnswer {
  /** Seconds from one point to the next; the last point is the newest that is whole. */
  readonly step: number;
  /** Of a service by version; of a workload by sender. */
  readonly inbound: readonly TrafficSeries[];
  /** Of a workload, by service and version; none of a service. */
  readonly outbound: readonly TrafficSeries[];
}

export interface TrafficSeries {
  readonly name: string;
  /** Requests a second. */
  readonly rate: readonly number[];
  readonly errorRate: readonly number[];
  readonly clientErrorRate: readonly number[];
  readonly p50: readonly (number | null)[];
  readonly p90: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
  readonly total: TrafficTotal;
}

/** GET /api/top: every workload and service with what it does now. */
export interface TopAnswer {
  /** Seconds that rates and latencies are of. */
  readonly window: number;
  readonly workloads: readonly TopWorkload[];
  readonly services: readonly ({ readonly service: string } & TopTraffic)[];
  /** The process that all sidecars of Mizzen's own engine share; null where that is not known. */
  readonly dataPlane: { readonly cpu: number; readonly memory: number } | null;
}

export interface TopTraffic {
  /** A second. */
  readonly requestRate: number;
  readonly errorRate: number;
  readonly clientErrorRate: number;
  /** Milliseconds; null when nothing ended. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Traffic is what comes in; of a gateway, what it passes on. */
export interface TopWorkload extends TopTraffic {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly engine: 'mizzen' | 'envoy' | '';
  readonly gateway: boolean;
  readonly replicas: number;
  readonly ready: number;
  readonly state: string;
  /** Of the pods that there are. */
  readonly restarts: number;
  /** Processors: 0.5 is half of one. Null, as is memory, where nothing runs or this system does not tell. */
  readonly cpu: number | null;
  /** Bytes. */
  readonly memory: number | null;
}

/** GET /api/workloads/NAMESPACE/NAME/requests: what its proxies' access log has, in its order. */
export interface RequestsAnswer {
  /** What `from` of the next request is to be. */
  readonly position: number;
  /** False: the mesh asks for no access log, so that there will be none. */
  readonly logging: boolean;
  /** Lines that are in another format than Istio's own. */
  readonly unread: number;
  readonly requests: readonly RequestAnswer[];
}

export interface RequestAnswer {
  /** When it began, ISO 8601. */
  readonly time: string;
  /** A gateway's are outbound. */
  readonly direction: 'inbound' | 'outbound';
  /** Empty where that cannot be told. */
  readonly pod: string;
  /** `NAMESPACE/NAME` of the workload at the other end; empty: none of the mesh, or not known. */
  readonly peer: string;
  /** Of the other end, as the log has it; empty: none. */
  readonly address: string;
  readonly protocol: string;
  /** Empty, as what else HTTP has: only bytes. */
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  /** 0: there was no answer. */
  readonly status: number;
  /** Envoy's response flags, such as `UF,URX`. */
  readonly flags: string;
  readonly details: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** What `GET /api/traces/ID` takes where the request was traced. */
  readonly requestId: string;
  /** Where the trace is kept, or the log has it. */
  readonly traceId: string;
}
