import type { KindSpecs } from './kinds.ts';

/** What Mizzen knows of a kind it reads. */
export interface KindInfo {
  readonly group: string;
  /** As a person writes it, where that is not the name in this table: two groups may have kinds of one name. */
  readonly kind?: string;
  /** Every version that is read; the first is the one resources are given. The shapes do not differ between them. */
  readonly versions: readonly string[];
  readonly namespaced: boolean;
  /** Full name of the message that describes `spec`, for kinds whose fields are Istio's. */
  readonly message?: string;
}

const networking = (kind: string, versions: readonly string[] = ['v1', 'v1beta1', 'v1alpha3']): KindInfo => ({
  group: 'networking.istio.io',
  versions,
  namespaced: true,
  message: `istio.networking.v1alpha3.${kind}`,
});
const security = (kind: string): KindInfo => ({
  group: 'security.istio.io',
  versions: ['v1', 'v1beta1'],
  namespaced: true,
  message: `istio.security.v1beta1.${kind}`,
});
export const GATEWAY_API = 'gateway.networking.k8s.io';
const gatewayApi = (namespaced = true, kind?: string): KindInfo => ({
  group: GATEWAY_API,
  ...(kind === undefined ? {} : { kind }),
  versions: ['v1', 'v1beta1'],
  namespaced,
});
const core = (namespaced = true): KindInfo => ({ group: '', versions: ['v1'], namespaced });
const apps = (): KindInfo => ({ group: 'apps', versions: ['v1'], namespaced: true });

/** The kinds that are read. */
export const KINDS: Readonly<Record<keyof KindSpecs, KindInfo>> = {
  VirtualService: networking('VirtualService'),
  DestinationRule: networking('DestinationRule'),
  Gateway: networking('Gateway'),
  ServiceEntry: networking('ServiceEntry'),
  Sidecar: networking('Sidecar'),
  WorkloadEntry: networking('WorkloadEntry'),
  WorkloadGroup: networking('WorkloadGroup'),
  EnvoyFilter: networking('EnvoyFilter', ['v1alpha3']),
  ProxyConfig: {
    group: 'networking.istio.io',
    versions: ['v1beta1'],
    namespaced: true,
    message: 'istio.networking.v1beta1.ProxyConfig',
  },
  AuthorizationPolicy: security('AuthorizationPolicy'),
  PeerAuthentication: security('PeerAuthentication'),
  RequestAuthentication: security('RequestAuthentication'),
  Telemetry: {
    group: 'telemetry.istio.io',
    versions: ['v1', 'v1alpha1'],
    namespaced: true,
    message: 'istio.telemetry.v1alpha1.Telemetry',
  },
  WasmPlugin: {
    group: 'extensions.istio.io',
    versions: ['v1alpha1'],
    namespaced: true,
    message: 'istio.extensions.v1alpha1.WasmPlugin',
  },
  TrafficExtension: {
    group: 'extensions.istio.io',
    versions: ['v1alpha1'],
    namespaced: true,
    message: 'istio.extensions.v1alpha1.TrafficExtension',
  },
  GatewayClass: gatewayApi(false),
  KubernetesGateway: gatewayApi(true, 'Gateway'),
  HTTPRoute: gatewayApi(),
  ReferenceGrant: gatewayApi(),
  Service: core(),
  Pod: core(),
  Deployment: apps(),
  StatefulSet: apps(),
  ServiceAccount: core(),
  ConfigMap: core(),
  Secret: core(),
  Namespace: core(false),
  Node: core(false),
  Endpoints: core(),
  EndpointSlice: { group: 'discovery.k8s.io', versions: ['v1'], namespaced: true },
  IstioOperator: { group: 'install.istio.io', versions: ['v1alpha1'], namespaced: true },
};

/** Looks a kind up by its group: `Gateway` is Istio's or the Gateway API's. */
export function kindInfo(group: string, kind: string): KindInfo | undefined {
  const key = inTable(group, kind);
  const info = Object.hasOwn(KINDS, key) ? KINDS[key as keyof KindSpecs] : undefined;
  return info?.group === group && (info.kind ?? key) === kind ? info : undefined;
}

/** The name under which `KINDS`, and Snapshots, have the kind of a resource or Ref; names of the table stay. */
export function kindKey({ apiVersion = '', kind }: { readonly apiVersion?: string; readonly kind: string }): string {
  return inTable(groupVersion(apiVersion).group, kind);
}

function inTable(group: string, kind: string): string {
  return group === GATEWAY_API && kind === 'Gateway' ? 'KubernetesGateway' : kind;
}

/** The same for the same resource, and for it alone. */
export function resourceKey(ref: {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${kindKey(ref)}/${ref.namespace}/${ref.name}`;
}

export function isIstioGroup(group: string): boolean {
  return group.endsWith('.istio.io');
}

/** Splits `apps/v1`; the core group is empty. */
export function groupVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export function preferredApiVersion(info: KindInfo): string {
  const version = info.versions[0] as string;
  return info.group === '' ? version : `${info.group}/${version}`;
}
