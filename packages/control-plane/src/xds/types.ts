import type {
  ClusterLoadAssignment,
  Cluster,
  Listener,
  RouteConfiguration,
  Secret,
  TypedExtensionConfig,
} from '@mizzen/xds';
import type { VersionedResource } from './resource.ts';

/** A secret and its version; `keep`: the one the proxy says it has is still good; undefined: not there, or not its own. */
export type SecretAnswer = { readonly version: string; readonly secret: Secret } | 'keep' | undefined;

/** All that one proxy is to have. Replaced as a whole; parts that are the same objects are known to be unchanged. */
export interface NodeConfig {
  readonly listeners: readonly Listener[];
  readonly routes: readonly RouteConfiguration[];
  readonly clusters: readonly Cluster[];
  readonly endpoints: readonly ClusterLoadAssignment[];
  readonly extensions: readonly TypedExtensionConfig[];
  /** `have` is the version that the proxy holds. Only what this proxy may read. */
  readonly secret: (name: string, have: string | undefined) => SecretAnswer;
}

/** What a proxy says on its incremental stream, whatever carries it. */
export interface DeltaRequest {
  readonly typeUrl: string;
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly initialResourceVersions?: Readonly<Record<string, string>>;
  readonly responseNonce?: string;
  /**
   * Refuses the response that `responseNonce` names. Without `resources` all of it is refused. `unjudged` names what was not
   * taken, but is not what is refused either: it is sent again.
   */
  readonly refusal?: {
    readonly message: string;
    readonly resources?: readonly RefusedResource[];
    readonly unjudged?: readonly string[];
  };
}
export interface RefusedResource {
  readonly resource: string;
  readonly field: string;
  readonly message: string;
}

export interface DeltaResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly resources: readonly VersionedResource[];
  readonly removed: readonly string[];
}

/** The way to one proxy. */
export interface Transport {
  /** Returns the bytes that its resources take on the way, where they are known. */
  send(response: DeltaResponse): number | void;
  /** False while earlier writes wait: nothing is sent until the transport calls `flush()` on the stream. */
  writable(): boolean;
  /**
   * The proxy is an Envoy, which takes a changed cluster into use only when it is sent the cluster's endpoints again,
   * changed or not (xDS protocol, "resource warming").
   */
  readonly warms?: boolean;
}

/** A resource that a proxy does not accept, and since when it was not: the version refused. */
export interface Refusal extends RefusedResource {
  readonly typeUrl: string;
  readonly version: string;
}

/** State of one type on one proxy. */
export type SyncState = 'synced' | 'pending' | 'refused' | 'not subscribed';

export interface ProxyStatus {
  readonly node: string;
  readonly connected: boolean;
  readonly types: Readonly<Record<string, SyncState>>;
  readonly refusals: readonly Refusal[];
}
