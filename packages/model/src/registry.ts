import { KINDS, type KindSpecs, type Resource, type Snapshot, type networking } from '@mizzen/api';
import { isDeepStrictEqual } from 'node:util';
import { DestinationRuleIndex } from './destination-rules.ts';
import { alike } from './endpoint-traits.ts';
import { EndpointIndex, selects } from './endpoints.ts';
import { defaultNetwork } from './networks.ts';
import { collectServices } from './services.ts';
import { podServices } from './stateful.ts';
import type { RuntimePod, Service, Workload } from './types.ts';
import { collectWorkloads, type WorkloadOptions } from './workloads.ts';

/** What a registry is made of. */
export interface RegistryInputs {
  readonly snapshot: Snapshot;
  readonly runtimePods: readonly RuntimePod[] | undefined;
  readonly options: WorkloadOptions & { readonly domainSuffix: string; readonly rootNamespace: string };
}

/**
 * Services, workloads and endpoints, and the rules that are about them. Models of which only routing and policies differ
 * share one, and with it everything that was made of it.
 */
export interface Registry {
  readonly inputs: RegistryInputs;
  /** Stands for all of it but which endpoints there are, and for what clusters and listeners know of these. */
  readonly structure: object;
  readonly services: readonly Service[];
  readonly workloads: readonly Workload[];
  readonly endpoints: EndpointIndex;
  readonly destinationRules: DestinationRuleIndex;
  readonly byHostname: ReadonlyMap<string, readonly Service[]>;
  servicesOf(workload: Workload): readonly Service[];
  /** Services visible in a namespace, by what they are chosen for; filled by whoever chooses. */
  readonly visible: Map<string, readonly Service[]>;
}

/** Kinds that no part of a registry reads. */
const ELSEWHERE: ReadonlySet<keyof KindSpecs> = new Set([
  'VirtualService',
  'Gateway',
  'GatewayClass',
  'KubernetesGateway',
  'HTTPRoute',
  'ReferenceGrant',
  'AuthorizationPolicy',
  'RequestAuthentication',
  'Telemetry',
] satisfies (keyof KindSpecs)[]);

const READ = (Object.keys(KINDS) as (keyof KindSpecs)[]).filter((kind) => !ELSEWHERE.has(kind));

/** Kinds of which a registry reads endpoints and nothing else. */
const OF_ENDPOINTS: readonly (keyof KindSpecs)[] = ['EndpointSlice', 'Endpoints'];

const OF_STRUCTURE = READ.filter((kind) => !OF_ENDPOINTS.includes(kind));

/** True when two Snapshots have the same routing and policies, which no part of a registry is made of. */
export function sameElsewhere(a: Snapshot, b: Snapshot): boolean {
  return [...ELSEWHERE].every((kind) => sameList(kind, a, b));
}

/** Resources and pods count as the same when they are the same objects. */
function sameStructure(a: RegistryInputs, b: RegistryInputs): boolean {
  return (
    samePods(a.runtimePods, b.runtimePods) &&
    isDeepStrictEqual(a.options, b.options) &&
    a.snapshot.meshSource === b.snapshot.meshSource &&
    OF_STRUCTURE.every((kind) => sameList(kind, a.snapshot, b.snapshot)) &&
    isDeepStrictEqual(a.snapshot.mesh, b.snapshot.mesh)
  );
}

function sameList(kind: keyof KindSpecs, a: Snapshot, b: Snapshot): boolean {
  return sameElements<Resource>(a.list(kind), b.list(kind));
}

/**
 * The registry of `inputs`. It is the one before where that is made of the same. Where only endpoints differ it shares
 * everything else with that, unless they differ in what clusters and listeners know of them.
 */
export function registryAfter(
  before: Registry | undefined,
  inputs: RegistryInputs,
  resolveHost: ResolveHost,
): Registry {
  if (before === undefined || !sameStructure(before.inputs, inputs)) return buildRegistry(inputs, resolveHost);
  const { snapshot } = inputs;
  if (OF_ENDPOINTS.every((kind) => sameList(kind, before.inputs.snapshot, snapshot))) return before;
  const endpoints = endpointIndex(inputs, before.workloads, before.services);
  if (!endpoints.takeOver(before.endpoints, alike)) return buildRegistry(inputs, resolveHost);
  return { ...before, inputs, endpoints };
}

function samePods(a: readonly RuntimePod[] | undefined, b: readonly RuntimePod[] | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameElements(a, b);
}

function sameElements<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((element, index) => element === b[index]));
}

type ResolveHost = (host: string, namespace: string) => string;

function buildRegistry(inputs: RegistryInputs, resolveHost: ResolveHost): Registry {
  const { snapshot, runtimePods, options } = inputs;
  const own = collectServices(snapshot, options.domainSuffix);
  const services = runtimePods === undefined ? own : [...own, ...podServices(snapshot, own)];
  const workloads = collectWorkloads(snapshot, runtimePods, options);
  const byHostname = new Map<string, Service[]>();
  for (const service of services) {
    const list = byHostname.get(service.hostname);
    if (list === undefined) byHostname.set(service.hostname, [service]);
    else list.push(service);
  }
  return {
    inputs,
    structure: {},
    services,
    workloads,
    endpoints: endpointIndex(inputs, workloads, services),
    destinationRules: new DestinationRuleIndex(snapshot, options.rootNamespace, resolveHost),
    byHostname,
    servicesOf: remember((workload: Workload) => {
      const listing = workload.addresses
        .flatMap((address) => servicesAt(services, address))
        .filter((service) => service.namespace === workload.namespace);
      return services.filter((service) => selects(service, workload) || listing.includes(service));
    }),
    visible: new Map(),
  };
}

function endpointIndex(
  { snapshot, runtimePods, options }: RegistryInputs,
  workloads: readonly Workload[],
  services: readonly Service[],
): EndpointIndex {
  return new EndpointIndex(snapshot, workloads, services, {
    running: runtimePods !== undefined,
    network: defaultNetwork(snapshot, options.rootNamespace),
  });
}

/** ServiceEntries that list an address among their endpoints. */
export function servicesAt(services: readonly Service[], address: string): Service[] {
  return services.filter((service) => listsAddress(service, address));
}

function listsAddress(service: Service, address: string): boolean {
  if (service.registry !== 'External' || service.selector !== undefined) return false;
  const { endpoints = [] } = service.resource.spec as networking.ServiceEntry;
  return endpoints.some((endpoint) => endpoint.address === address);
}

export function remember<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    let entry = known.get(key);
    if (entry === undefined) known.set(key, (entry = { value: compute(key) }));
    return entry.value;
  };
}
