import type { Resource, Snapshot, k8s, networking } from '@mizzen/api';
import { isDeepStrictEqual } from 'node:util';
import { endpointGroups, indexSlices } from './endpoint-slices.ts';
import type { Labels } from './labels.ts';
import { fits, isEmpty } from './labels.ts';
import {
  CLUSTER_LABEL,
  HOSTNAME_LABEL,
  NETWORK_LABEL,
  NOWHERE,
  REGION_LABEL,
  SUBZONE_LABEL,
  ZONE_LABEL,
  parseLocality,
} from './localities.ts';
import type { Endpoint, Service, ServicePort, Workload } from './types.ts';
import { workloadEntryTls } from './workloads.ts';

/** The endpoints of one service port. */
interface Found {
  readonly port: ServicePort;
  readonly all: readonly Endpoint[];
}

const NO_LABELS: Labels = {};

/** Finds and remembers the endpoints of service ports. */
export class EndpointIndex {
  readonly #snapshot: Snapshot;
  readonly #running: boolean;
  readonly #network: string;
  readonly #byNamespace = new Map<string, Workload[]>();
  readonly #byAddress = new Map<string, Workload>();
  /** By `namespace/hostname`. */
  readonly #siblings = new Map<string, Service[]>();
  readonly #cache = new Map<Service, Map<string, Found>>();
  #slices: Map<string, Resource[]> | undefined;

  /** `running`: the workloads are pods of this machine, whatever EndpointSlices say. `network`: of what names none. */
  constructor(
    snapshot: Snapshot,
    workloads: readonly Workload[],
    services: readonly Service[],
    { running, network }: { readonly running: boolean; readonly network: string },
  ) {
    this.#snapshot = snapshot;
    this.#running = running;
    this.#network = network;
    for (const service of services) {
      const key = siblingKey(service);
      const list = this.#siblings.get(key);
      if (list === undefined) this.#siblings.set(key, [service]);
      else list.push(service);
    }
    for (const workload of workloads) {
      const list = this.#byNamespace.get(workload.namespace);
      if (list === undefined) this.#byNamespace.set(workload.namespace, [workload]);
      else list.push(workload);
      for (const address of workload.addresses) {
        if (!this.#byAddress.has(address)) this.#byAddress.set(address, workload);
      }
    }
  }

  workloadByAddress(address: string): Workload | undefined {
    return this.#byAddress.get(address);
  }

  endpoints(service: Service, port: ServicePort, subset: Labels | undefined): readonly Endpoint[] {
    let ports = this.#cache.get(service);
    if (ports === undefined) this.#cache.set(service, (ports = new Map()));
    const key = `${port.port} ${port.name}`;
    let found = ports.get(key);
    if (found === undefined) ports.set(key, (found = { port, all: this.#findAll(service, port) }));
    return isEmpty(subset) ? found.all : found.all.filter((endpoint) => fits(subset, endpoint.labels));
  }

  /**
   * Takes over what is known of an index of the same workloads and services, from which only slices may differ. What was
   * asked of services with other slices is found anew. False when the answers differ in more than `alike` allows.
   */
  takeOver(before: EndpointIndex, alike: (service: Service, a: Found['all'], b: Found['all']) => boolean): boolean {
    const changed = changedKeys(before.#slicesByService(), this.#slicesByService());
    const names = new Set<string>();
    for (const [name, services] of this.#siblings) {
      if (services.some((service) => changed.has(sliceKey(service)))) names.add(name);
    }
    let same = true;
    for (const [service, known] of before.#cache) {
      if (!names.has(siblingKey(service)) && !changed.has(sliceKey(service))) {
        this.#cache.set(service, known);
        continue;
      }
      const ports = new Map<string, Found>();
      for (const [key, { port, all }] of known) {
        const found = this.#findAll(service, port);
        ports.set(key, { port, all: isDeepStrictEqual(all, found) ? all : found });
        same &&= alike(service, all, found);
      }
      this.#cache.set(service, ports);
    }
    return same;
  }

  /** Services of one namespace that share a host name share their endpoints: those of ServiceEntries come first. */
  #findAll(service: Service, port: ServicePort): readonly Endpoint[] {
    const same = this.#siblings.get(siblingKey(service)) ?? [];
    if (same.length < 2) return this.#find(service, port);
    const ordered = [...same].sort((a, b) => (a.registry === b.registry ? 0 : a.registry === 'External' ? -1 : 1));
    return ordered.flatMap((sibling) => {
      const own = sibling.ports.find((candidate) => candidate.name === port.name);
      return own === undefined ? [] : this.#find(sibling, own);
    });
  }

  #find(service: Service, port: ServicePort): readonly Endpoint[] {
    if (service.externalName !== undefined) {
      const target = typeof port.targetPort === 'number' ? port.targetPort : port.port;
      return [
        {
          ...blank(service),
          address: service.externalName,
          port: target,
          targetPort: target,
          workloadName: service.name,
        },
      ];
    }
    if (service.registry === 'External') return this.#ofServiceEntry(service, port);
    const slices = this.#slicesOf(service);
    if (slices.length > 0 || isEmpty(service.selector))
      return [...this.#ofEntries(service, port), ...this.#ofSlices(service, port, slices)];
    const unready = (service.resource.spec as k8s.ServiceSpec).publishNotReadyAddresses === true;
    const pods: Endpoint[] = [];
    for (const workload of this.#byNamespace.get(service.namespace) ?? []) {
      if (workload.kind !== 'Pod' || workload.terminating || !selects(service, workload)) continue;
      const target = podPort(workload, port);
      if (target !== undefined) pods.push(...ofWorkload(workload, target, unready));
    }
    return [...this.#ofEntries(service, port), ...pods];
  }

  /** WorkloadEntries that a Kubernetes Service selects. */
  #ofEntries(service: Service, port: ServicePort): readonly Endpoint[] {
    const out: Endpoint[] = [];
    for (const workload of this.#byNamespace.get(service.namespace) ?? []) {
      if (workload.kind === 'WorkloadEntry' && selects(service, workload))
        out.push(...ofWorkload(workload, entryPort(workload, port)));
    }
    return out;
  }

  #ofServiceEntry(service: Service, port: ServicePort): readonly Endpoint[] {
    const spec = service.resource.spec as networking.ServiceEntry;
    const target = Number(port.targetPort);
    if (spec.workloadSelector !== undefined) {
      const out: Endpoint[] = [];
      for (const workload of this.#byNamespace.get(service.namespace) ?? []) {
        if (!selects(service, workload) || workload.terminating) continue;
        if (!workload.ready) continue;
        out.push(...ofWorkload(workload, workload.kind === 'Pod' ? target : entryPort(workload, port)));
      }
      return out;
    }
    const listed = spec.endpoints ?? [];
    if (listed.length === 0) {
      const named =
        service.resolution === 'dns' ||
        service.resolution === 'dns-round-robin' ||
        service.resolution === 'dynamic-dns';
      if (!named || service.hostname.startsWith('*')) return [];
      return [
        { ...blank(service), address: service.hostname, port: target, targetPort: target, workloadName: service.name },
      ];
    }
    return listed.map((entry, index) => {
      const labels = entry.labels ?? NO_LABELS;
      const network = entry.network ?? labels[NETWORK_LABEL] ?? this.#network;
      const at = entry.address?.startsWith('unix://') === true ? 0 : (entry.ports?.[port.name] ?? target);
      return {
        address: entry.address ?? '',
        port: at,
        targetPort: at,
        labels: network === '' ? labels : { ...labels, [NETWORK_LABEL]: network },
        serviceAccount: entry.serviceAccount ?? '',
        namespace: service.namespace,
        workloadName: `${service.name}-${index}`,
        locality: entry.locality === undefined ? NOWHERE : parseLocality(entry.locality),
        network,
        cluster: labels[CLUSTER_LABEL] ?? 'Kubernetes',
        tlsMode: workloadEntryTls(entry),
        healthy: true,
        checked: false,
        weight: entry.weight ?? 0,
        nodeName: undefined,
        workload: undefined,
      };
    });
  }

  /** EndpointSlices say where a service's pods are, unless pods run here, which are known better. */
  #slicesOf(service: Service): readonly Resource[] {
    if (this.#running && !isEmpty(service.selector)) return [];
    return this.#slicesByService().get(sliceKey(service)) ?? [];
  }

  #slicesByService(): ReadonlyMap<string, readonly Resource[]> {
    return (this.#slices ??= indexSlices(this.#snapshot));
  }

  #ofSlices(service: Service, port: ServicePort, slices: readonly Resource[]): readonly Endpoint[] {
    const out: Endpoint[] = [];
    for (const { addresses, ports } of slices.flatMap(endpointGroups)) {
      const only = ports.length === 1 && service.ports.length === 1 ? ports[0] : undefined;
      const at = (ports.find((candidate) => (candidate.name ?? '') === port.name) ?? only)?.port;
      if (at === undefined) continue;
      for (const { address, ready, pod, nodeName } of addresses) {
        const workload = this.#podFor(service.namespace, address, pod);
        const known =
          workload === undefined
            ? { ...blank(service), nodeName, network: this.#network }
            : endpointOf(workload, address, at);
        out.push({ ...known, address, port: at, targetPort: at, healthy: ready, checked: true });
      }
    }
    return out;
  }

  #podFor(namespace: string, address: string, pod: string | undefined): Workload | undefined {
    const workloads = this.#byNamespace.get(namespace) ?? [];
    const named = pod === undefined ? undefined : workloads.find((w) => w.kind === 'Pod' && w.name === pod);
    return named ?? workloads.find((w) => w.addresses.includes(address));
  }
}

function siblingKey({ namespace, hostname }: Service): string {
  return `${namespace}/${hostname}`;
}

/** As `indexSlices` has it. */
function sliceKey({ namespace, name }: Service): string {
  return `${namespace}/${name}`;
}

/** Keys whose resources are not the very same in both. */
function changedKeys<T>(
  before: ReadonlyMap<string, readonly T[]>,
  after: ReadonlyMap<string, readonly T[]>,
): ReadonlySet<string> {
  const changed = new Set<string>();
  for (const key of before.keys()) if (!after.has(key)) changed.add(key);
  for (const [key, list] of after) {
    const known = before.get(key);
    if (known?.length !== list.length || list.some((each, index) => each !== known[index])) changed.add(key);
  }
  return changed;
}

/** True when a service's selector names this workload. */
export function selects(service: Service, workload: Workload): boolean {
  if (service.selector === undefined || isEmpty(service.selector)) return false;
  return service.namespace === workload.namespace && fits(service.selector, workload.labels);
}

function blank(service: Service): Endpoint {
  return {
    address: '',
    port: 0,
    targetPort: 0,
    labels: NO_LABELS,
    serviceAccount: '',
    namespace: service.namespace,
    workloadName: '',
    locality: NOWHERE,
    network: '',
    cluster: 'Kubernetes',
    tlsMode: 'disabled',
    healthy: true,
    checked: false,
    weight: 0,
    nodeName: undefined,
    workload: undefined,
  };
}

/** A pod's container port; a named target port that no container has makes it no endpoint of that service port. */
function podPort(workload: Workload, port: ServicePort): number | undefined {
  let target: number | undefined;
  if (typeof port.targetPort === 'number') target = port.targetPort;
  else {
    for (const container of workload.containers) {
      target ??= container.ports?.find((p) => p.name === port.targetPort)?.containerPort;
    }
  }
  return target;
}

/** A WorkloadEntry says where each port name is; otherwise the service's target port holds. */
function entryPort(workload: Workload, port: ServicePort): number {
  const ports = (workload.resource.spec as networking.WorkloadEntry).ports;
  const named = ports?.[port.name] ?? (typeof port.targetPort === 'string' ? ports?.[port.targetPort] : undefined);
  if (named !== undefined) return named;
  return typeof port.targetPort === 'number' ? port.targetPort : port.port;
}

function ofWorkload(workload: Workload, targetPort: number, unready = false): readonly Endpoint[] {
  return workload.addresses.slice(0, 1).map((address) => {
    const endpoint = endpointOf(workload, address, targetPort);
    return unready ? { ...endpoint, healthy: true } : endpoint;
  });
}

function endpointOf(workload: Workload, address: string, targetPort: number): Endpoint {
  return {
    address,
    port: address.startsWith('unix://') ? 0 : (workload.boundPorts[targetPort] ?? targetPort),
    targetPort,
    labels: endpointLabels(workload),
    serviceAccount: workload.serviceAccount,
    namespace: workload.namespace,
    workloadName: workload.workloadName,
    locality: workload.locality,
    network: workload.network,
    cluster: workload.cluster,
    tlsMode: workload.hasSidecar ? 'istio' : 'disabled',
    healthy: workload.ready,
    checked: workload.kind === 'Pod',
    weight: workload.weight,
    nodeName: workload.nodeName,
    workload,
  };
}

const augmented = new WeakMap<Workload, Labels>();

/** A workload's labels with where it runs added, as failover priorities look at them. */
export function endpointLabels(workload: Workload): Labels {
  let labels = augmented.get(workload);
  if (labels === undefined) {
    const { region, zone, subzone } = workload.locality;
    const extra: Record<string, string> = { ...workload.labels };
    if (region !== '') extra[REGION_LABEL] = region;
    if (zone !== '') extra[ZONE_LABEL] = zone;
    if (subzone !== '') extra[SUBZONE_LABEL] = subzone;
    if (workload.cluster !== '') extra[CLUSTER_LABEL] = workload.cluster;
    if (workload.network !== '') extra[NETWORK_LABEL] = workload.network;
    if (workload.nodeName !== undefined) extra[HOSTNAME_LABEL] = workload.nodeName;
    augmented.set(workload, (labels = extra));
  }
  return labels;
}
