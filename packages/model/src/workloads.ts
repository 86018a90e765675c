import type { Resource, Snapshot, k8s, networking } from '@mizzen/api';
import { NOWHERE, localityOf, nodeLocalities, parseLocality } from './localities.ts';
import { defaultNetwork } from './networks.ts';
import { byAge } from './order.ts';
import type { Locality, RuntimePod, Workload } from './types.ts';

export interface WorkloadOptions {
  /**
   * Deployments, StatefulSets and Pods that nothing runs are taken to run, ready, at made-up addresses: for answering
   * questions about files alone.
   */
  readonly synthesizePods?: boolean;
  /** Cluster name in endpoint metadata. Default: `Kubernetes`. */
  readonly cluster?: string;
}

/** What holds for workloads that say nothing else. */
interface Home {
  readonly cluster: string;
  readonly network: string;
}

const TLS_MODE = 'security.istio.io/tlsMode';
const NETWORK = 'topology.istio.io/network';

/** Pods and WorkloadEntries, in the order of the Snapshot. */
export function collectWorkloads(
  snapshot: Snapshot,
  runtimePods: readonly RuntimePod[] | undefined,
  options: WorkloadOptions & { readonly rootNamespace: string },
): Workload[] {
  const nodes = nodeLocalities(snapshot);
  const network = defaultNetwork(snapshot, options.rootNamespace);
  const home: Home = { cluster: options.cluster ?? 'Kubernetes', network };
  const workloads: Workload[] = [];
  if (runtimePods !== undefined) {
    for (const pod of runtimePods) {
      const workload = fromRuntime(snapshot, pod, nodes, home);
      if (workload !== undefined) workloads.push(workload);
    }
  } else {
    for (const resource of snapshot.list('Pod')) {
      const workload = fromPod(resource, nodes, home);
      if (workload !== undefined) workloads.push(workload);
    }
    if (options.synthesizePods === true) workloads.push(...synthesize(snapshot, workloads, nodes, home));
  }
  for (const resource of [...snapshot.list('WorkloadEntry')].sort(byAge)) {
    workloads.push(fromWorkloadEntry(resource, home));
  }
  return workloads;
}

interface PodStatus {
  readonly phase?: string;
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip?: string }[];
  readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
}
interface OwnedMeta {
  readonly deletionTimestamp?: string;
  readonly generateName?: string;
  readonly ownerReferences?: readonly {
    readonly kind?: string;
    readonly name?: string;
    readonly controller?: boolean;
  }[];
}

function fromPod(
  resource: Resource<k8s.PodSpec>,
  nodes: ReadonlyMap<string, Locality>,
  home: Home,
): Workload | undefined {
  const status = (resource.body['status'] ?? {}) as PodStatus;
  const meta = (resource.body['metadata'] ?? {}) as OwnedMeta;
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return undefined;
  const addresses = (status.podIPs ?? []).map((entry) => entry.ip ?? '').filter((ip) => ip !== '');
  if (addresses.length === 0 && (status.podIP ?? '') !== '') addresses.push(status.podIP!);
  const { name, namespace, labels = {}, annotations = {} } = resource.metadata;
  const ready = status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
  return {
    name,
    namespace,
    kind: 'Pod',
    labels,
    annotations,
    serviceAccount: ownAccount(resource.spec),
    addresses,
    containers: containersOf(resource.spec),
    boundPorts: {},
    ready,
    terminating: meta.deletionTimestamp !== undefined,
    hasSidecar: labels[TLS_MODE] === 'istio',
    locality: localityOf(labels, resource.spec.nodeName, nodes),
    nodeName: resource.spec.nodeName,
    network: labels[NETWORK] ?? home.network,
    cluster: home.cluster,
    weight: 1,
    workloadName: controllerName(name, labels, meta),
    resource,
  };
}

/** For a pod whose name was generated: the Deployment behind its ReplicaSet, else its controller. Else the pod itself. */
function controllerName(podName: string, labels: Readonly<Record<string, string>>, meta: OwnedMeta): string {
  if (meta.generateName === undefined || meta.generateName === '') return podName;
  const owner = meta.ownerReferences?.find((ref) => ref.controller === true) ?? meta.ownerReferences?.[0];
  if (owner?.name === undefined) return podName;
  const hash = labels['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return owner.name.slice(0, -hash.length - 1);
  }
  return owner.name;
}

function fromRuntime(
  snapshot: Snapshot,
  pod: RuntimePod,
  nodes: ReadonlyMap<string, Locality>,
  home: Home,
): Workload | undefined {
  const owner = snapshot.find(pod.owner);
  const template = owner === undefined ? undefined : templateOf(owner);
  if (owner === undefined || template === undefined) return undefined;
  return {
    name: pod.name,
    namespace: pod.namespace,
    kind: 'Pod',
    labels: pod.labels,
    annotations: template.annotations,
    serviceAccount: serviceAccountOf(template.spec),
    addresses: [pod.address],
    containers: containersOf(template.spec),
    boundPorts: pod.boundPorts,
    ready: pod.ready,
    terminating: pod.terminating,
    hasSidecar: pod.hasSidecar,
    engine: pod.engine,
    locality: localityOf(pod.labels, template.spec.nodeName, nodes),
    nodeName: template.spec.nodeName,
    network: pod.labels[NETWORK] ?? home.network,
    cluster: home.cluster,
    weight: 1,
    workloadName: pod.owner.name,
    resource: owner,
  };
}

interface Template {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: k8s.PodSpec;
}

function templateOf(owner: Resource): Template | undefined {
  if (owner.kind === 'Pod') {
    const { labels = {}, annotations = {} } = owner.metadata;
    return { labels, annotations, spec: owner.spec as k8s.PodSpec };
  }
  if (owner.kind !== 'Deployment' && owner.kind !== 'StatefulSet') return undefined;
  const template = (owner.spec as k8s.DeploymentSpec).template;
  return {
    labels: template.metadata?.labels ?? {},
    annotations: template.metadata?.annotations ?? {},
    spec: template.spec,
  };
}

function synthesize(
  snapshot: Snapshot,
  existing: readonly Workload[],
  nodes: ReadonlyMap<string, Locality>,
  home: Home,
): Workload[] {
  const taken = new Set(existing.flatMap((workload) => workload.addresses));
  const out: Workload[] = [];
  const owners: readonly Resource[] = [
    ...snapshot.list('Deployment'),
    ...snapshot.list('StatefulSet'),
    ...snapshot.list('Pod'),
  ];
  for (const owner of owners) {
    const template = templateOf(owner);
    if (template === undefined) continue;
    const { name, namespace } = owner.metadata;
    if (
      owner.kind === 'Pod'
        ? hasStatus(owner)
        : existing.some((w) => w.namespace === namespace && w.workloadName === name)
    )
      continue;
    const replicas = owner.kind === 'Pod' ? 1 : ((owner.spec as k8s.DeploymentSpec).replicas ?? 1);
    for (let i = 0; i < replicas; i++) {
      const podName = owner.kind === 'Pod' ? name : `${name}-${i}`;
      out.push({
        name: podName,
        namespace,
        kind: 'Pod',
        labels: template.labels,
        annotations: template.annotations,
        serviceAccount: serviceAccountOf(template.spec),
        addresses: [madeUpAddress(`${namespace}/${podName}`, taken)],
        containers: containersOf(template.spec),
        boundPorts: {},
        ready: true,
        terminating: false,
        hasSidecar: wantsSidecar(snapshot, namespace, template),
        locality: localityOf(template.labels, template.spec.nodeName, nodes),
        nodeName: template.spec.nodeName,
        network: template.labels[NETWORK] ?? home.network,
        cluster: home.cluster,
        weight: 1,
        workloadName: name,
        resource: owner,
      });
    }
  }
  return out;
}

function hasStatus(pod: Resource): boolean {
  return (((pod.body['status'] ?? {}) as PodStatus).podIP ?? '') !== '';
}

/** Everything has a sidecar unless it, or its namespace, says otherwise. */
function wantsSidecar(snapshot: Snapshot, namespace: string, template: Template): boolean {
  const inject = template.labels['sidecar.istio.io/inject'] ?? template.annotations['sidecar.istio.io/inject'];
  if (inject === 'false') return false;
  return snapshot.get('Namespace', '', namespace)?.metadata.labels?.['istio-injection'] !== 'disabled';
}

/** An address in 10.0.0.0/8 that depends only on the name (and on who took it before). */
function madeUpAddress(name: string, taken: Set<string>): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  for (;;) {
    const address = `10.${(hash >>> 16) & 255}.${(hash >>> 8) & 255}.${hash & 255}`;
    if (!taken.has(address)) {
      taken.add(address);
      return address;
    }
    hash = (hash + 1) >>> 0;
  }
}

function fromWorkloadEntry(resource: Resource<networking.WorkloadEntry>, home: Home): Workload {
  const { spec } = resource;
  const { name, namespace, annotations = {} } = resource.metadata;
  const labels = spec.labels ?? {};
  return {
    name,
    namespace,
    kind: 'WorkloadEntry',
    labels,
    annotations,
    serviceAccount: spec.serviceAccount ?? '',
    addresses: spec.address === undefined || spec.address === '' ? [] : [spec.address],
    containers: [],
    boundPorts: {},
    ready: true,
    terminating: false,
    hasSidecar: workloadEntryTls(spec) === 'istio',
    locality: spec.locality === undefined ? NOWHERE : parseLocality(spec.locality),
    nodeName: undefined,
    network: spec.network ?? labels[NETWORK] ?? home.network,
    cluster: labels['topology.istio.io/cluster'] ?? home.cluster,
    weight: spec.weight ?? 0,
    workloadName: name,
    resource,
  };
}

/** A label says it outright; otherwise whoever has a service account can prove who it is. */
export function workloadEntryTls(spec: networking.WorkloadEntry): 'istio' | 'disabled' {
  const mode = spec.labels?.[TLS_MODE];
  if (mode !== undefined) return mode === 'istio' ? 'istio' : 'disabled';
  return spec.serviceAccount === undefined || spec.serviceAccount === '' ? 'disabled' : 'istio';
}

function serviceAccountOf(spec: k8s.PodSpec): string {
  const name = spec.serviceAccountName ?? spec.serviceAccount ?? '';
  return name === '' ? 'default' : name;
}

/**
 * A Pod without containers is none that the API server let in (only a store that was filled by other means has it), so
 * nobody gave it a default account either.
 */
function ownAccount(spec: k8s.PodSpec): string {
  const containers = spec.containers as k8s.PodSpec['containers'] | undefined;
  return containers?.length ? serviceAccountOf(spec) : (spec.serviceAccountName ?? '');
}

/** Init containers that stay (native sidecars) have ports too. */
function containersOf(spec: k8s.PodSpec): readonly k8s.Container[] {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
}
