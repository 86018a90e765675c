import type { Resource, Snapshot, networking } from '@mizzen/api';
import { chooseRule } from './destination-rules.ts';
import { hasGatewaySemantics } from './gateway-api/index.ts';
import { hostsOverlap, isSubsetOf, isWildcard } from './hosts.ts';
import type { Labels } from './labels.ts';
import { EgressHosts } from './egress-hosts.ts';
import { fits, isEmpty, labelsKey } from './labels.ts';
import { MergedServices, mergeServices, oneNamespaceEach, trimToPorts } from './merge-services.ts';
import { byAge } from './order.ts';
import { destinations } from './destinations.ts';
import type { Registry } from './registry.ts';
import type { EgressListener, MergedDestinationRule, ProxyScope, Service } from './types.ts';
import { MESH_GATEWAY, type VirtualServiceIndex } from './virtual-services.ts';
import { isVisible } from './visibility.ts';

type Sidecar = Resource<networking.Sidecar>;
type VirtualService = Resource<networking.VirtualService>;

/** What all proxies of a namespace under the same Sidecar share. */
interface Base {
  readonly sidecar: Sidecar | undefined;
  readonly egress: readonly EgressListener[];
  readonly services: readonly Service[];
  readonly byHostname: ReadonlyMap<string, Service>;
}

/** Works out what each proxy may see; remembers it per namespace and Sidecar, and per labels where rules select them. */
export class ScopeIndex {
  readonly #snapshot: Snapshot;
  readonly #root: string;
  readonly #registry: Registry;
  readonly #virtualServices: VirtualServiceIndex;
  readonly #sidecars = new Map<string, Sidecar[]>();
  readonly #bases = new Map<string, Base>();
  readonly #scopes = new Map<string, ProxyScope>();

  constructor(snapshot: Snapshot, rootNamespace: string, registry: Registry, virtualServices: VirtualServiceIndex) {
    this.#snapshot = snapshot;
    this.#root = rootNamespace;
    this.#registry = registry;
    this.#virtualServices = virtualServices;
    for (const sidecar of [...snapshot.list('Sidecar')].sort(byAge)) {
      const list = this.#sidecars.get(sidecar.metadata.namespace);
      if (list === undefined) this.#sidecars.set(sidecar.metadata.namespace, [sidecar]);
      else list.push(sidecar);
    }
  }

  scope(namespace: string, labels: Labels, type: 'sidecar' | 'router'): ProxyScope {
    const sidecar = type === 'sidecar' ? this.#sidecarFor(namespace, labels) : undefined;
    const name = sidecar === undefined ? '' : `${sidecar.metadata.namespace}/${sidecar.metadata.name}`;
    const own = this.#registry.destinationRules.selective ? labelsKey(labels) : '';
    const key = `${type} ${namespace} ${name} ${own}`;
    let scope = this.#scopes.get(key);
    if (scope === undefined) this.#scopes.set(key, (scope = this.#build(namespace, labels, sidecar, name, type)));
    return scope;
  }

  /** One whose selector fits, else the namespace's own, else the root namespace's. */
  #sidecarFor(namespace: string, labels: Labels): Sidecar | undefined {
    const own = this.#sidecars.get(namespace) ?? [];
    const selecting = own.find(
      ({ spec }) => !isEmpty(spec.workloadSelector?.labels) && fits(spec.workloadSelector?.labels, labels),
    );
    const general = ({ spec }: Sidecar): boolean => isEmpty(spec.workloadSelector?.labels);
    return selecting ?? own.find(general) ?? this.#sidecars.get(this.#root)?.find(general);
  }

  #build(
    namespace: string,
    labels: Labels,
    sidecar: Sidecar | undefined,
    name: string,
    type: 'sidecar' | 'router',
  ): ProxyScope {
    const baseKey = `${type} ${namespace} ${name}`;
    let found = this.#bases.get(baseKey);
    if (found === undefined) this.#bases.set(baseKey, (found = this.#buildBase(namespace, sidecar, type)));
    const rules = new Map<string, MergedDestinationRule | undefined>();
    const { byHostname } = found;
    const policy = sidecar?.spec.outboundTrafficPolicy;
    const chosen = policy ?? this.#snapshot.mesh.outboundTrafficPolicy;
    return {
      sidecar,
      egress: found.egress,
      services: found.services,
      service: (hostname) => byHostname.get(hostname),
      destinationRule: (hostname, direction = 'outbound') => {
        const key = `${direction} ${hostname}`;
        if (!rules.has(key)) {
          const service = byHostname.get(hostname);
          const all = service === undefined ? [] : this.#registry.destinationRules.find(namespace, service);
          rules.set(key, chooseRule(all, namespace, labels, direction));
        }
        return rules.get(key);
      },
      outboundTrafficPolicy: chosen === undefined ? 'ALLOW_ANY' : (chosen.mode ?? 'REGISTRY_ONLY'),
      egressProxy: policy?.egressProxy,
    };
  }

  #buildBase(namespace: string, sidecar: Sidecar | undefined, type: 'sidecar' | 'router'): Base {
    const visible = this.#visible(namespace);
    const virtualServices = this.#virtualServices.find(namespace, MESH_GATEWAY);
    if (type === 'router') {
      const found = this.#remembered(`router ${namespace}`, () => mergeServices(visible));
      return base(undefined, [{ config: undefined, services: found, virtualServices }], found);
    }
    const written = sidecar?.spec.egress ?? [];
    const egress =
      written.length === 0
        ? [{ config: undefined, services: this.#everything(namespace), virtualServices }]
        : written.map((config): EgressListener => {
            const hosts = new EgressHosts(config.hosts ?? [], namespace);
            return {
              config,
              services: importServices(visible, hosts, config, namespace),
              virtualServices: importVirtualServices(virtualServices, hosts),
            };
          });
    const merged = new MergedServices();
    for (const { config, services, virtualServices: routes } of egress) {
      for (const service of services) merged.add(service);
      for (const { spec } of routes) {
        for (const [host, ports] of destinations(spec, namespace)) {
          const service = this.#destination(host, namespace);
          if (service === undefined) continue;
          merged.add(needsPort(config) ? trimToPort(service, config) : trimToPorts(service, ports));
        }
      }
    }
    return base(sidecar, egress, merged.services);
  }

  /** Those of its own namespace alone first, then those exported to it by name, then everybody's; each in Istio's order. */
  #visible(namespace: string): readonly Service[] {
    return this.#remembered(`visible ${namespace}`, () => {
      const rank = ({ exportTo, namespace: own }: Service): number =>
        exportTo.includes('*') ? 2 : own === namespace ? 0 : 1;
      return this.#registry.services
        .filter((service) => isVisible(service.exportTo, namespace))
        .sort((a, b) => rank(a) - rank(b));
    });
  }

  /** What a sidecar sees without being told. */
  #everything(namespace: string): readonly Service[] {
    return this.#remembered(`everything ${namespace}`, () => oneNamespaceEach(this.#visible(namespace), namespace));
  }

  /** A service that a route leads to, imported or not: the namespace's own, else the first namespace's that shows it. */
  #destination(hostname: string, namespace: string): Service | undefined {
    const named = this.#registry.byHostname.get(hostname) ?? [];
    const own = preferKubernetes(named.filter((service) => service.namespace === namespace));
    if (own !== undefined) return own;
    const seen = named.filter((service) => isVisible(service.exportTo, namespace));
    const [first] = seen.map((service) => service.namespace).sort();
    return preferKubernetes(seen.filter((service) => service.namespace === first));
  }

  #remembered(key: string, make: () => readonly Service[]): readonly Service[] {
    const { visible } = this.#registry;
    let found = visible.get(key);
    if (found === undefined) visible.set(key, (found = make()));
    return found;
  }
}

function base(sidecar: Sidecar | undefined, egress: readonly EgressListener[], services: readonly Service[]): Base {
  return { sidecar, egress, services, byHostname: new Map(services.map((service) => [service.hostname, service])) };
}

function preferKubernetes(services: readonly Service[]): Service | undefined {
  return services.find(({ registry }) => registry === 'Kubernetes') ?? services[0];
}

function importServices(
  services: readonly Service[],
  hosts: EgressHosts,
  config: networking.IstioEgressListener,
  namespace: string,
): readonly Service[] {
  const imported: Service[] = [];
  for (const service of services) {
    const patterns = hosts.imported(service.namespace);
    if (!patterns.some((pattern) => isSubsetOf(service.hostname, pattern))) continue;
    if (hosts.excludes(service.namespace, service.hostname)) continue;
    const trimmed = trimToPort(service, config);
    if (trimmed !== undefined) imported.push(trimmed);
  }
  return oneNamespaceEach(imported, namespace);
}

/** A listener for one port sees only that port of a service; undefined when the service has no such port. */
function trimToPort(service: Service, config: networking.IstioEgressListener | undefined): Service | undefined {
  return needsPort(config) ? trimToPorts(service, new Set([config?.port?.number ?? 0])) : service;
}

function needsPort(config: networking.IstioEgressListener | undefined): boolean {
  const port = config?.port;
  return port?.number !== undefined && port.number !== 0 && port.protocol?.toUpperCase() !== 'HTTP_PROXY';
}

function importVirtualServices(
  virtualServices: readonly VirtualService[],
  hosts: EgressHosts,
): readonly VirtualService[] {
  return virtualServices.filter((virtualService) => {
    const { namespace } = virtualService.metadata;
    const patterns = hosts.imported(namespace);
    const exact = hasGatewaySemantics(virtualService);
    return (virtualService.spec.hosts ?? []).some(
      (host) =>
        !hosts.excludes(namespace, host) &&
        patterns.some((pattern) =>
          isWildcard(host) && !exact ? hostsOverlap(host, pattern) : isSubsetOf(host, pattern),
        ),
    );
  });
}
