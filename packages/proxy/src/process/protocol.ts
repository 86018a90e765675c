import type { JsonObject } from '@mizzen/xds';

/**
 * Messages between whoever starts the data-plane process and that process (Node IPC). The process hosts many proxies,
 * each with a node of its own, its own listeners and its own secrets. It exits when the channel closes.
 */
export type ToProxy =
  /** Always the first message. `xds` is where local xDS is served: path of a unix socket, or a named pipe on Windows. */
  | { readonly type: 'configure'; readonly xds: string }
  | {
      readonly type: 'start';
      readonly node: string;
      readonly metadata: JsonObject;
      /** What its spans are of, and requests say they come from. */
      readonly serviceCluster?: string;
      readonly accessLog?: string;
    }
  /** A proxy of another kind, whose connections others take. */
  | { readonly type: 'peer'; readonly node: string; readonly metadata: JsonObject }
  | { readonly type: 'peer-gone'; readonly node: string }
  /** Access logs were moved away and are to be opened again by their paths. */
  | { readonly type: 'reopen-logs' }
  /** Stops accepting, lets requests finish for up to `drainMs`, then closes; answered by `stopped`. */
  | { readonly type: 'stop'; readonly node: string; readonly drainMs: number }
  | { readonly type: 'shutdown'; readonly drainMs: number };

export type FromProxy =
  /** The process is up and wants nodes. */
  | { readonly type: 'hello' }
  /** First configuration applied and every listener bound. */
  | { readonly type: 'ready'; readonly node: string }
  | { readonly type: 'stopped'; readonly node: string }
  /** A listener's address is taken; it is tried again. */
  | {
      readonly type: 'bind-failed';
      readonly node: string;
      readonly listener: string;
      readonly address: string;
      readonly port: number;
      readonly message: string;
    }
  /** Once a second, only nodes whose numbers changed. */
  | { readonly type: 'counts'; readonly nodes: readonly NodeCounts[] }
  /** Once a second, only nodes that sent something: what, since the last time. */
  | { readonly type: 'traffic'; readonly nodes: readonly NodeTraffic[] }
  | {
      readonly type: 'log';
      readonly level: 'error' | 'warning' | 'info' | 'debug';
      readonly node?: string;
      readonly message: string;
    };

export interface NodeCounts {
  readonly node: string;
  readonly inboundRequests: number;
  readonly outboundRequests: number;
  readonly inboundErrors: number;
  readonly outboundErrors: number;
  readonly activeConnections: number;
}

/** What a proxy sent to endpoints in an interval. */
export interface NodeTraffic {
  readonly node: string;
  readonly clusters: readonly ClusterTraffic[];
  /** The same as Istio's standard metrics tell it, of requests that ended. */
  readonly requests?: readonly RequestTraffic[];
}

/** By the labels of Istio's standard metrics; `unknown` where they say so. */
export interface RequestTraffic {
  readonly reporter: 'source' | 'destination';
  readonly source: string;
  readonly sourceNamespace: string;
  /** Host name. */
  readonly service: string;
  readonly destination: string;
  readonly destinationNamespace: string;
  /** Of the destination. */
  readonly version: string;
  readonly requests: number;
  /** Of them: answers of 500 and more, and statuses of gRPC that are the server's fault. */
  readonly errors: number;
  /** Answers of 400 to 499, and statuses of gRPC that are the client's fault: no errors, but a class of their own. */
  readonly clientErrors: number;
  /** As those of clusters. */
  readonly times: readonly (readonly [milliseconds: number, count: number])[];
}

export interface ClusterTraffic {
  readonly cluster: string;
  /** Requests and connections that got no endpoint. */
  readonly unsent: number;
  /** Milliseconds until the answer, with how many of the requests took them; to two digits. */
  readonly times: readonly (readonly [milliseconds: number, count: number])[];
  readonly hosts: readonly HostTraffic[];
}

export interface HostTraffic {
  /** IP address and port. */
  readonly address: string;
  /** That ended, each attempt for itself. */
  readonly requests: number;
  /** Of them: answers of 500 and more, resets, timeouts. */
  readonly errors: number;
  /** Of them: answers of 400 to 499, and statuses of gRPC that are the client's fault. */
  readonly clientErrors: number;
  readonly connections: number;
  /** Whether connections to it are secured. */
  readonly tls: boolean;
}
