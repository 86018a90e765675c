import type {
  Any,
  Bootstrap,
  Cluster,
  ClusterLoadAssignment,
  Listener,
  RouteConfiguration,
  Secret,
  TypedExtensionConfig,
} from '@mizzen/xds';
import type { NodeConfig, Refusal } from '../xds/types.ts';
import type { TypeSync } from '../xds/type-state.ts';

/** A proxy as its xDS requests describe it. */
export interface ProxyNode {
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A secret that a proxy asks for. */
export interface NamedSecret {
  readonly name: string;
  /** Undefined: there is none (yet), and the proxy waits for it. */
  readonly version: string | undefined;
  /** Undefined where only the proxy has its content. */
  readonly secret: Secret | undefined;
}

/** A resource inside a dump carries its type. */
type Typed<T> = T & Any;

/** envoy.admin.v3.ConfigDump, in proto3 JSON. What a control plane knows: nothing is static, nothing has a time. */
export interface ConfigDump {
  readonly configs: readonly ConfigDumpPart[];
}
export type ConfigDumpPart =
  | BootstrapConfigDump
  | ClustersConfigDump
  | EndpointsConfigDump
  | ListenersConfigDump
  | ScopedRoutesConfigDump
  | RoutesConfigDump
  | SecretsConfigDump
  | EcdsConfigDump;

export interface BootstrapConfigDump {
  readonly '@type': 'type.googleapis.com/envoy.admin.v3.BootstrapConfigDump';
  readonly bootstrap: Bootstrap;
}
export interface ClustersConfigDump {
  readonly '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump';
  readonly versionInfo: string;
  readonly dynamicActiveClusters: readonly { readonly versionInfo: string; readonly cluster: Typed<Cluster> }[];
}
export interface EndpointsConfigDump {
  readonly '@type': 'type.googleapis.com/envoy.admin.v3.EndpointsConfigDump';
  readonly dynamicEndpointConfigs: readonly {
    readonly versionInfo: string;
    readonly endpointConfig: Typed<ClusterLoadAssignment>;
  }[];
}
export interface ListenersConfigDump {
  readonly '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump';
  readonly versionInfo: string;
  readonly dynamicListeners: readonly {
    readonly name: string;
    readonly activeState: { readonly versionInfo: string; readonly listener: Typed<Listener> };
  }[];
}
export interface ScopedRoutesConfigDump {
  readonly '@type': 'type.googleapis.com/envoy.admin.v3.ScopedRoutesConfigDump';
}
export interface RoutesConfigDump {
  readonly '@type': 'type.googleapis.com/envoy.admin.v3.RoutesConfigDump';
  readonly dynamicRouteConfigs: readonly {
    readonly versionInfo: string;
    readonly routeConfig: Typed<RouteConfiguration>;
  }[];
}
export interface SecretsConfigDump {
  readonly '@type': 'type.googleapis.com/envoy.admin.v3.SecretsConfigDump';
  readonly dynamicActiveSecrets: readonly DynamicSecret[];
  /** Asked for and not there. */
  readonly dynamicWarmingSecrets: readonly DynamicSecret[];
}
export interface DynamicSecret {
  readonly name: string;
  readonly versionInfo: string;
  readonly secret: Typed<Secret>;
}
export interface EcdsConfigDump {
  readonly '@type': 'type.googleapis.com/envoy.admin.v3.EcdsConfigDump';
  readonly ecdsFilters: readonly { readonly versionInfo: string; readonly ecdsFilter: Typed<TypedExtensionConfig> }[];
}

/** A refusal and, where it is known, the line of YAML that what was refused came from. */
export interface DescribedRefusal extends Refusal {
  readonly origin?: { readonly file: string; readonly line: number };
}

/** One proxy, as whoever runs a control plane knows it. */
export interface DebugProxy {
  readonly node: ProxyNode;
  readonly connected: boolean;
  /** Undefined: nothing was made for it yet. */
  readonly config: NodeConfig | undefined;
  /** What its stream was sent and has answered; none while it is not connected. */
  readonly sync: readonly TypeSync[];
  readonly refusals: readonly DescribedRefusal[];
}
