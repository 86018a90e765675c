import type { Resource, Snapshot, networking } from '@mizzen/api';
import { chooseRule } from './destination-rules.ts';
import { hasGatewaySemantics } from './gateway-api/index.ts';
import { hostsOverlap, isSubsetOf, isWildcard } from './hosts.ts';
import type { Labels } from './labels.ts';
import { fits, isEmpty, labelsKey } from './labels.ts';
import { byAge } from './order.ts';
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
    const key = `${namespace} ${name} ${own}`;
    let scope = this.#scopes.get(key);
    if (scope === undefined) this.#scopes.set(key, (scope = this.#build(namespace, labels, sidecar, name)));
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

  #build(namespace: string, labels: Labels, sidecar: Sidecar | undefined, name: string): ProxyScope {
    const baseKey = `${namespace} ${name}`;
    let base = this.#bases.get(baseKey);
    if (base === undefined) this.#bases.set(baseKey, (base = this.#buildBase(namespace, sidecar)));
    const rules = new Map<string, MergedDestinationRule | undefined>();
    const { byHostname } = base;
    const policy = sidecar?.spec.outboundTrafficPolicy;
    const chosen = policy ?? this.#snapshot.mesh.outboundTrafficPolicy;
    return {
      sidecar,
      egress: base.egress,
      services: base.services,
      destinationRule: (hostname, direction = 'outbound') => {
        const key = `${direction} ${hostname}`;
        if (!rules.has(key)) {
          const service = byHostname.get(hostname);
          const found = service === undefined ? [] : this.#registry.destinationRules.find(namespace, service);
          rules.set(key, chooseRule(found, namespace, labels, direction));
        }
        return rules.get(key);
      },
      outboundTrafficPolicy: chosen === undefined ? 'ALLOW_ANY' : (chosen.mode ?? 'REGISTRY_ONLY'),
      egressProxy: policy?.egressProxy,
    };
  }

  #buildBase(namespace: string, sidecar: Sidecar | undefined): Base {
    const visible = this.#visible(namespace, sidecar !== undefined);
    const meshVirtualServices = this.#virtualServices.find(namespace, MESH_GATEWAY);
    const written = sidecar?.spec.egress ?? [];
    if (written.length === 0) {
      const egress = [{ config: undefined, services: visible, virtualServices: meshVirtualServices }];
      return {
        sidecar,
        egress,
        services: visible,
        byHostname: new Map(visible.map((service) => [service.hostname, service])),
      };
    }
    const all = this.#registry.services.filter((service) => isVisible(service.exportTo, namespace));
    const egress = written.map((config): EgressListener => {
      const hosts = importedHosts(config.hosts ?? [], namespace);
      return {
        config,
        services: importServices(all, hosts, config, namespace),
        virtualServices: importVirtualServices(meshVirtualServices, hosts),
      };
    });
    const byHostname = new Map<string, Service>();
    for (const listener of egress) {
      for (const service of listener.services) addService(byHostname, service);
      for (const virtualService of listener.virtualServices) {
        for (const host of destinationHosts(virtualService.spec)) {
          const service = pickService(all, host, namespace);
          const trimmed = service === undefined ? undefined : trimToPort(service, listener.config);
          if (trimmed !== undefined && !byHostname.has(host)) addService(byHostname, trimmed);
        }
      }
    }
    return { sidecar, egress, services: [...byHostname.values()], byHostname };
  }

  #visible(namespace: string, preferOwn: boolean): readonly Service[] {
    const { services, visible } = this.#registry;
    const key = `${namespace} ${preferOwn}`;
    let found = visible.get(key);
    if (found === undefined) {
      const all = services.filter((service) => isVisible(service.exportTo, namespace));
      visible.set(key, (found = onePerHostname(all, namespace, preferOwn)));
    }
    return found;
  }
}

/** Kubernetes' own service before any ServiceEntry for its name; then (with a Sidecar) the proxy's namespace; then the oldest. */
function onePerHostname(services: readonly Service[], namespace: string, preferOwn: boolean): Service[] {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const known = chosen.get(service.hostname);
    if (
      known === undefined ||
      (known.registry !== 'Kubernetes' && service.registry === 'Kubernetes') ||
      (preferOwn &&
        known.namespace !== namespace &&
        service.namespace === namespace &&
        known.registry === service.registry)
    ) {
      chosen.set(service.hostname, service);
    }
  }
  return services.filter((service) => chosen.get(service.hostname) === service);
}

/** Namespace (or `*`) → host patterns. */
function importedHosts(hosts: readonly string[], namespace: string): Map<string, string[]> {
  const out = new Map<string, string[]>();
  for (const entry of hosts) {
    const slash = entry.indexOf('/');
    const written = slash < 0 ? '*' : entry.slice(0, slash);
    if (written === '~') continue;
    const from = written === '.' ? namespace : written;
    const list = out.get(from);
    if (list === undefined) out.set(from, [entry.slice(slash + 1)]);
    else list.push(entry.slice(slash + 1));
  }
  return out;
}

function importServices(
  services: readonly Service[],
  hosts: ReadonlyMap<string, readonly string[]>,
  config: networking.IstioEgressListener,
  namespace: string,
): readonly Service[] {
  const imported: Service[] = [];
  for (const service of services) {
    const own = hosts.get(service.namespace) ?? [];
    const any = hosts.get('*') ?? [];
    if (![...own, ...any].some((pattern) => isSubsetOf(service.hostname, pattern))) continue;
    const trimmed = trimToPort(service, config);
    if (trimmed !== undefined) imported.push(trimmed);
  }
  return onePerHostname(imported, namespace, true);
}

/** A listener for one port sees only that port of a service; undefined when the service has no such port. */
function trimToPort(service: Service, config: networking.IstioEgressListener | undefined): Service | undefined {
  const port = config?.port;
  if (port?.number === undefined || port.number === 0 || port.protocol?.toUpperCase() === 'HTTP_PROXY') return service;
  const ports = service.ports.filter((candidate) => candidate.port === port.number);
  if (ports.length === 0) return undefined;
  return ports.length === service.ports.length ? service : { ...service, ports };
}

function importVirtualServices(
  virtualServices: readonly VirtualService[],
  hosts: ReadonlyMap<string, readonly string[]>,
): readonly VirtualService[] {
  return virtualServices.filter((virtualService) => {
    const patterns = [...(hosts.get(virtualService.metadata.namespace) ?? []), ...(hosts.get('*') ?? [])];
    const exact = hasGatewaySemantics(virtualService);
    return (virtualService.spec.hosts ?? []).some((host) =>
      patterns.some((pattern) =>
        isWildcard(host) && !exact ? hostsOverlap(host, pattern) : isSubsetOf(host, pattern),
      ),
    );
  });
}

/** Listeners may each know some ports of the same service; together they are the service. */
function addService(byHostname: Map<string, Service>, service: Service): void {
  const known = byHostname.get(service.hostname);
  if (known === undefined) {
    byHostname.set(service.hostname, service);
    return;
  }
  if (known === service || known.namespace !== service.namespace) return;
  const missing = service.ports.filter((port) => !known.ports.some((p) => p.port === port.port));
  if (missing.length > 0) byHostname.set(service.hostname, { ...known, ports: [...known.ports, ...missing] });
}

function pickService(services: readonly Service[], hostname: string, namespace: string): Service | undefined {
  const named = services.filter((service) => service.hostname === hostname);
  return (
    named.find((service) => service.namespace === namespace) ??
    named.sort((a, b) => (a.namespace < b.namespace ? -1 : 1))[0]
  );
}

function destinationHosts(spec: networking.VirtualService): Set<string> {
  const hosts = new Set<string>();
  const note = (to: networking.Destination | undefined): void => {
    if (to?.host !== undefined) hosts.add(to.host);
  };
  for (const route of spec.http ?? []) {
    for (const to of route.route ?? []) note(to.destination);
    note(route.mirror);
    for (const to of route.mirrors ?? []) note(to.destination);
  }
  for (const route of [...(spec.tls ?? []), ...(spec.tcp ?? [])]) {
    for (const to of route.route ?? []) note(to.destination);
  }
  return hosts;
}
