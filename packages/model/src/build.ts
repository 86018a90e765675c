import type { Resource, Snapshot, networking } from '@mizzen/api';
import { discovered } from './discovery.ts';
import { type GatewayApi, convertGatewayApi } from './gateway-api/index.ts';
import { clusterLocal } from './cluster-local.ts';
import { accounts } from './endpoint-traits.ts';
import { fits } from './labels.ts';
import { networkGateways } from './networks.ts';
import { byAge } from './order.ts';
import { PolicyIndex } from './policies.ts';
import { type Registry, registryAfter, remember, sameElsewhere, servicesAt } from './registry.ts';
import { ScopeIndex } from './scope.ts';
import type { MeshModel, RuntimePod, Service } from './types.ts';
import { VirtualServiceIndex } from './virtual-services.ts';
import { isVisible } from './visibility.ts';
import type { WorkloadOptions } from './workloads.ts';

export interface ModelOptions extends WorkloadOptions {
  /** Kubernetes' cluster domain. Default: `cluster.local`. */
  readonly domainSuffix?: string;
  /** A model from before: what is the same in both is taken from it. */
  readonly previous?: MeshModel;
}

/** What a later model may take over. */
interface Reusable {
  readonly registry: Registry;
  readonly virtualServices: VirtualServiceIndex;
  readonly scopes: ScopeIndex;
  readonly snapshot: Snapshot;
  readonly gatewayApi: GatewayApi;
}
const reusable = new WeakMap<MeshModel, Reusable>();

/**
 * Resolves a Snapshot against itself. With `runtimePods`, workloads are the pods that run on this machine; without,
 * they are the Snapshot's Pods. Indexes that some proxies need are built when first asked for.
 */
export function buildModel(
  whole: Snapshot,
  runtimePods?: readonly RuntimePod[],
  options: ModelOptions = {},
): MeshModel {
  const snapshot = discovered(whole);
  const { mesh } = snapshot;
  const domainSuffix = options.domainSuffix ?? 'cluster.local';
  const rootNamespace =
    mesh.rootNamespace === undefined || mesh.rootNamespace === '' ? 'istio-system' : mesh.rootNamespace;
  const trustDomain = mesh.trustDomain === undefined || mesh.trustDomain === '' ? 'cluster.local' : mesh.trustDomain;
  const trustDomainAliases = mesh.trustDomainAliases ?? [];
  const resolveHost = (host: string, namespace: string): string =>
    host === '' || host.includes('.') || host.startsWith('*') ? host : `${host}.${namespace}.svc.${domainSuffix}`;

  const before = options.previous === undefined ? undefined : reusable.get(options.previous);
  const { synthesizePods, cluster } = options;
  const inputs = { snapshot, runtimePods, options: { synthesizePods, cluster, domainSuffix, rootNamespace } };
  const registry = registryAfter(before?.registry, inputs, resolveHost);
  const kept = before?.registry.structure === registry.structure ? before : undefined;
  // Nothing but endpoints differs.
  const same = kept !== undefined && sameElsewhere(kept.snapshot, snapshot) ? kept : undefined;
  const { services, workloads, endpoints, byHostname } = registry;
  const policies = new PolicyIndex(snapshot, rootNamespace);
  const gatewayApi = convertGatewayApi(
    { snapshot, domainSuffix },
    (hostname) => byHostname.has(hostname),
    before?.gatewayApi,
  );
  const virtualServices =
    same?.virtualServices ??
    new VirtualServiceIndex(snapshot, gatewayApi.virtualServices, resolveHost, kept?.virtualServices);
  const scopes = same?.scopes ?? new ScopeIndex(snapshot, rootNamespace, registry, virtualServices);
  const gateways = [...snapshot.list('Gateway'), ...gatewayApi.gateways].sort(byAge);

  const identities = remember((service: Service): readonly string[] => {
    const names = new Set<string>(service.subjectAltNames);
    for (const port of service.ports) {
      for (const account of accounts(endpoints.endpoints(service, port, undefined))) {
        const slash = account.indexOf('/');
        const path = `ns/${account.slice(0, slash)}/sa/${account.slice(slash + 1)}`;
        for (const domain of [trustDomain, ...trustDomainAliases]) names.add(`spiffe://${domain}/${path}`);
      }
    }
    return [...names].sort();
  });

  const model: MeshModel = {
    snapshot,
    registry,
    structure: registry.structure,
    mesh,
    rootNamespace,
    trustDomain,
    trustDomainAliases,
    domainSuffix,
    services,
    workloads,
    resolveHost,
    serviceIn(hostname, namespace) {
      const named = (byHostname.get(hostname) ?? []).filter((service) => service.namespace === namespace);
      return named.find(({ registry: from }) => from === 'Kubernetes') ?? named[0];
    },
    serviceFor(hostname, namespace) {
      const visible = (byHostname.get(hostname) ?? []).filter((service) => isVisible(service.exportTo, namespace));
      return (
        visible.find((s) => s.namespace === namespace) ?? visible.find((s) => s.registry === 'Kubernetes') ?? visible[0]
      );
    },
    endpoints: (service, port, subset) => endpoints.endpoints(service, port, subset),
    workloadByAddress: (address) => endpoints.workloadByAddress(address),
    servicesOf: (workload) => registry.servicesOf(workload),
    servicesAt: (address) => servicesAt(services, address),
    scope: (namespace, labels, type = 'sidecar') => scopes.scope(namespace, labels, type),
    virtualServices: (namespace, gateway) => virtualServices.find(namespace, gateway),
    originOfRoute: (route) => virtualServices.originOf(route),
    gatewayApi,
    networkGateways: networkGateways(services, cluster ?? 'Kubernetes'),
    isClusterLocal: clusterLocal(mesh, domainSuffix),
    identities,
    namespaceMtlsMode: (namespace) => policies.namespaceMode(namespace),
    policies: (namespace, labels) => policies.policies(namespace, labels),
    mtlsMode: (namespace, labels, port) => policies.mtlsMode(namespace, labels, port),
    mtlsPorts: (namespace, labels) =>
      Object.keys(policies.workloadPeerAuthentication(namespace, labels)?.spec.portLevelMtls ?? {}).map(Number),
    gatewaysFor: (_namespace, labels, serviceHosts = []) =>
      gateways.filter((gateway) => {
        const named = gatewayServices(gateway);
        return named === undefined
          ? fits(gateway.spec.selector, labels)
          : named.some((host) => serviceHosts.includes(host));
      }),
  };
  reusable.set(model, { registry, virtualServices, scopes, snapshot, gatewayApi });
  return model;
}

/** Host names of the services a Gateway made from another API is for; undefined for those that select workloads. */
export function gatewayServices(gateway: Resource<networking.Gateway>): readonly string[] | undefined {
  return gateway.metadata.annotations?.['internal.istio.io/gateway-service']?.split(',');
}
