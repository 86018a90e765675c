import type { Resource, Snapshot, networking } from '@mizzen/api';
import { DestinationRuleIndex } from './destination-rules.ts';
import { EndpointIndex, selects } from './endpoints.ts';
import { fits } from './labels.ts';
import { byAge } from './order.ts';
import { PolicyIndex } from './policies.ts';
import { ScopeIndex } from './scope.ts';
import { collectServices } from './services.ts';
import type { MeshModel, RuntimePod, Service, Workload } from './types.ts';
import { VirtualServiceIndex } from './virtual-services.ts';
import { isVisible } from './visibility.ts';
import { type WorkloadOptions, collectWorkloads } from './workloads.ts';

export interface ModelOptions extends WorkloadOptions {
  /** Kubernetes' cluster domain. Default: `cluster.local`. */
  readonly domainSuffix?: string;
}

/**
 * Resolves a Snapshot against itself. With `runtimePods`, workloads are the pods that run on this machine; without,
 * they are the Snapshot's Pods. Indexes that some proxies need are built when first asked for.
 */
export function buildModel(
  snapshot: Snapshot,
  runtimePods?: readonly RuntimePod[],
  options: ModelOptions = {},
): MeshModel {
  const { mesh } = snapshot;
  const domainSuffix = options.domainSuffix ?? 'cluster.local';
  const rootNamespace =
    mesh.rootNamespace === undefined || mesh.rootNamespace === '' ? 'istio-system' : mesh.rootNamespace;
  const trustDomain = mesh.trustDomain === undefined || mesh.trustDomain === '' ? 'cluster.local' : mesh.trustDomain;
  const trustDomainAliases = mesh.trustDomainAliases ?? [];
  const resolveHost = (host: string, namespace: string): string =>
    host === '' || host.includes('.') || host.startsWith('*') ? host : `${host}.${namespace}.svc.${domainSuffix}`;

  const services = collectServices(snapshot, domainSuffix);
  const workloads = collectWorkloads(snapshot, runtimePods, options);
  const endpoints = new EndpointIndex(snapshot, workloads, services, runtimePods !== undefined);
  const policies = new PolicyIndex(snapshot, rootNamespace);
  const virtualServices = new VirtualServiceIndex(snapshot, resolveHost);
  const destinationRules = new DestinationRuleIndex(snapshot, rootNamespace, resolveHost);
  const scopes = new ScopeIndex(snapshot, rootNamespace, services, virtualServices, destinationRules);
  const gateways = [...snapshot.list('Gateway')].sort(byAge);

  const byHostname = new Map<string, Service[]>();
  for (const service of services) {
    const list = byHostname.get(service.hostname);
    if (list === undefined) byHostname.set(service.hostname, [service]);
    else list.push(service);
  }
  const servicesAt = (address: string): Service[] => services.filter((service) => listsAddress(service, address));
  const servicesOf = remember((workload: Workload) => {
    const listing = workload.addresses
      .flatMap(servicesAt)
      .filter((service) => service.namespace === workload.namespace);
    return services.filter((service) => selects(service, workload) || listing.includes(service));
  });
  const identities = remember((service: Service): readonly string[] => {
    const accounts = new Set<string>();
    for (const port of service.ports) {
      for (const endpoint of endpoints.endpoints(service, port, undefined)) {
        if (endpoint.serviceAccount === '') continue;
        for (const domain of [trustDomain, ...trustDomainAliases]) {
          accounts.add(`spiffe://${domain}/ns/${endpoint.namespace}/sa/${endpoint.serviceAccount}`);
        }
      }
    }
    for (const name of service.subjectAltNames) accounts.add(name);
    return [...accounts].sort();
  });

  return {
    snapshot,
    mesh,
    rootNamespace,
    trustDomain,
    trustDomainAliases,
    domainSuffix,
    services,
    workloads,
    resolveHost,
    serviceFor(hostname, namespace) {
      const visible = (byHostname.get(hostname) ?? []).filter((service) => isVisible(service.exportTo, namespace));
      return (
        visible.find((s) => s.namespace === namespace) ?? visible.find((s) => s.registry === 'Kubernetes') ?? visible[0]
      );
    },
    endpoints: (service, port, subset) => endpoints.endpoints(service, port, subset),
    workloadByAddress: (address) => endpoints.workloadByAddress(address),
    servicesOf,
    servicesAt,
    scope: (namespace, labels, type = 'sidecar') => scopes.scope(namespace, labels, type),
    virtualServices: (namespace, gateway) => virtualServices.find(namespace, gateway),
    originOfRoute: (route) => virtualServices.originOf(route),
    identities,
    namespaceMtlsMode: (namespace) => policies.namespaceMode(namespace),
    policies: (namespace, labels) => policies.policies(namespace, labels),
    mtlsMode: (namespace, labels, port) => policies.mtlsMode(namespace, labels, port),
    gatewaysFor: (_namespace, labels, serviceHosts = []) =>
      gateways.filter((gateway) => {
        const named = gatewayServices(gateway);
        return named === undefined
          ? fits(gateway.spec.selector, labels)
          : named.some((host) => serviceHosts.includes(host));
      }),
  };
}

/** Host names of the services a Gateway made from another API is for; undefined for those that select workloads. */
export function gatewayServices(gateway: Resource<networking.Gateway>): readonly string[] | undefined {
  return gateway.metadata.annotations?.['internal.istio.io/gateway-service']?.split(',');
}

function listsAddress(service: Service, address: string): boolean {
  if (service.registry !== 'External' || service.selector !== undefined) return false;
  const { endpoints = [] } = service.resource.spec as networking.ServiceEntry;
  return endpoints.some((endpoint) => endpoint.address === address);
}

function remember<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    let entry = known.get(key);
    if (entry === undefined) known.set(key, (entry = { value: compute(key) }));
    return entry.value;
  };
}
