import type { Resource, Snapshot, k8s, networking } from '@mizzen/api';
import type { Labels } from './labels.ts';
import { fits, isEmpty } from './labels.ts';
import { CLUSTER_LABEL, HOSTNAME_LABEL, NETWORK_LABEL, NOWHERE, REGION_LABEL, SUBZONE_LABEL, ZONE_LABEL, parseLocality } from './localities.ts';
import type { Endpoint, Service, ServicePort, Workload } from './types.ts';
import { workloadEntryTls } from './workloads.ts';

const NO_LABELS: Labels = {};

/** Finds and remembers the endpoints of service ports. */
export class EndpointIndex {
  readonly #snapshot: Snapshot;
  readonly #byNamespace = new Map<string, Workload[]>();
  readonly #byAddress = new Map<string, Workload>();
  readonly #cache = new Map<Service, Map<string, readonly Endpoint[]>>();
  #slices: Map<string, Resource[]> | undefined;

  constructor(snapshot: Snapshot, workloads: readonly Workload[]) {
    this.#snapshot = snapshot;
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
    let all = ports.get(key);
    if (all === undefined) ports.set(key, (all = this.#find(service, port)));
    return isEmpty(subset) ? all : all.filter((endpoint) => fits(subset, endpoint.labels));
  }

  #find(service: Service, port: ServicePort): readonly Endpoint[] {
    if (service.registry === 'External') return this.#ofServiceEntry(service, port);
    if (service.selector === undefined || isEmpty(service.selector)) return this.#ofSlices(service, port);
    const unready = (service.resource.spec as k8s.ServiceSpec).publishNotReadyAddresses === true;
    const out: Endpoint[] = [];
    for (const workload of this.#byNamespace.get(service.namespace) ?? []) {
      if (!selects(service, workload)) continue;
      if (workload.terminating) continue;
      const target = workload.kind === 'Pod' ? podPort(workload, port) : entryPort(workload, port);
      if (target !== undefined) out.push(...ofWorkload(workload, target, unready));
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
        const at = workload.kind === 'Pod' ? (workload.boundPorts[target] ?? target) : entryPort(workload, port);
        if (at !== undefined) out.push(...ofWorkload(workload, at));
      }
      return out;
    }
    const listed = spec.endpoints ?? [];
    if (listed.length === 0) {
      const named = service.resolution === 'dns' || service.resolution === 'dns-round-robin' || service.resolution === 'dynamic-dns';
      if (!named || service.hostname.startsWith('*')) return [];
      return [{ ...blank(service), address: service.hostname, port: target }];
    }
    return listed.map((entry, index) => {
      const labels = entry.labels ?? NO_LABELS;
      const network = entry.network ?? labels[NETWORK_LABEL] ?? '';
      return {
        address: entry.address ?? '',
        port: entry.address?.startsWith('unix://') === true ? 0 : (entry.ports?.[port.name] ?? target),
        labels: network === '' ? labels : { ...labels, [NETWORK_LABEL]: network },
        serviceAccount: entry.serviceAccount ?? '',
        namespace: service.namespace,
        workloadName: `${service.name}-${index}`,
        locality: entry.locality === undefined ? NOWHERE : parseLocality(entry.locality),
        network,
        cluster: labels[CLUSTER_LABEL] ?? 'Kubernetes',
        tlsMode: workloadEntryTls(entry),
        healthy: true,
        weight: entry.weight ?? 0,
        workload: undefined,
      };
    });
  }

  /** A Service without a selector has the endpoints that an EndpointSlice (or the older Endpoints) gives it. */
  #ofSlices(service: Service, port: ServicePort): readonly Endpoint[] {
    this.#slices ??= indexSlices(this.#snapshot);
    const out: Endpoint[] = [];
    for (const slice of this.#slices.get(`${service.namespace}/${service.name}`) ?? []) {
      const groups = slice.kind === 'Endpoints' ? subsetsOf(slice) : [groupOf(slice)];
      for (const group of groups) {
        const at = group.ports.find((p) => (p.name ?? '') === port.name) ?? (group.ports.length === 1 && service.ports.length === 1 ? group.ports[0] : undefined);
        if (at?.port === undefined) continue;
        for (const address of group.addresses) {
          const workload = this.#byAddress.get(address);
          if (workload !== undefined && workload.namespace === service.namespace) {
            out.push(...ofWorkload(workload, at.port).filter((endpoint) => endpoint.address === address));
          } else out.push({ ...blank(service), address, port: at.port });
        }
      }
    }
    return out;
  }
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
    labels: NO_LABELS,
    serviceAccount: '',
    namespace: service.namespace,
    workloadName: '',
    locality: NOWHERE,
    network: '',
    cluster: 'Kubernetes',
    tlsMode: 'disabled',
    healthy: true,
    weight: 0,
    workload: undefined,
  };
}

/** A pod's bound port; a named target port that no container has makes it no endpoint of that service port. */
function podPort(workload: Workload, port: ServicePort): number | undefined {
  let target: number | undefined;
  if (typeof port.targetPort === 'number') target = port.targetPort;
  else {
    for (const container of workload.containers) {
      target ??= container.ports?.find((p) => p.name === port.targetPort)?.containerPort;
    }
  }
  return target === undefined ? undefined : (workload.boundPorts[target] ?? target);
}

/** A WorkloadEntry says where each port name is; otherwise the service's target port holds. */
function entryPort(workload: Workload, port: ServicePort): number | undefined {
  const ports = (workload.resource.spec as networking.WorkloadEntry).ports;
  const named = ports?.[port.name] ?? (typeof port.targetPort === 'string' ? ports?.[port.targetPort] : undefined);
  if (named !== undefined) return named;
  return typeof port.targetPort === 'number' ? port.targetPort : port.port;
}

function ofWorkload(workload: Workload, port: number, unready = false): readonly Endpoint[] {
  const labels = endpointLabels(workload);
  return workload.addresses.slice(0, 1).map((address) => ({
    address,
    port: address.startsWith('unix://') ? 0 : port,
    labels,
    serviceAccount: workload.serviceAccount,
    namespace: workload.namespace,
    workloadName: workload.workloadName,
    locality: workload.locality,
    network: workload.network,
    cluster: workload.cluster,
    tlsMode: workload.hasSidecar ? 'istio' : 'disabled',
    healthy: workload.ready || unready,
    weight: workload.weight,
    workload,
  }));
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

interface Group {
  readonly addresses: readonly string[];
  readonly ports: readonly { readonly name?: string; readonly port?: number }[];
}
interface SliceBody {
  readonly endpoints?: readonly { readonly addresses?: readonly string[]; readonly conditions?: { readonly ready?: boolean } }[];
  readonly ports?: Group['ports'];
}
interface EndpointsBody {
  readonly subsets?: readonly { readonly addresses?: readonly { readonly ip?: string }[]; readonly ports?: Group['ports'] }[];
}

function groupOf(slice: Resource): Group {
  const body = slice.body as SliceBody;
  const ready = (body.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false);
  return { addresses: ready.flatMap((endpoint) => endpoint.addresses ?? []), ports: body.ports ?? [] };
}

function subsetsOf(endpoints: Resource): Group[] {
  return ((endpoints.body as EndpointsBody).subsets ?? []).map((subset) => ({
    addresses: (subset.addresses ?? []).flatMap((address) => address.ip ?? []),
    ports: subset.ports ?? [],
  }));
}

/** By `namespace/service`. Endpoints count only where there is no slice. */
function indexSlices(snapshot: Snapshot): Map<string, Resource[]> {
  const out = new Map<string, Resource[]>();
  for (const slice of snapshot.list('EndpointSlice')) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (service === undefined) continue;
    const key = `${slice.metadata.namespace}/${service}`;
    const list = out.get(key);
    if (list === undefined) out.set(key, [slice]);
    else list.push(slice);
  }
  for (const endpoints of snapshot.list('Endpoints')) {
    const key = `${endpoints.metadata.namespace}/${endpoints.metadata.name}`;
    if (!out.has(key)) out.set(key, [endpoints]);
  }
  return out;
}
