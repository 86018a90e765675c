import type { MeshModel, Service, ServicePort } from '@mizzen/model';
import type { GraphAnswer, GraphEdge, GraphNode, Health } from '../api/types.ts';
import { workloadAnswers } from '../api/answers.ts';
import type { ControlState } from '../control/control.ts';
import { type Flow, quantile } from './window.ts';

/** Shares of requests that fail. */
const DEGRADED = 0.001;
const FAILING = 0.1;
/** Share of requests that is answered with client errors, from which a look is worth it: the service does its part. */
const REFUSING = 0.1;
/** Protocols of which only connections can be counted. */
const BYTES = new Set(['https', 'tls', 'tcp', 'mongo', 'mysql', 'redis']);

/** The service graph: every workload, and an edge for every pair of which one sends to the other. */
export function graphAnswer(
  state: ControlState,
  flows: readonly Flow[],
  seconds: number,
  window: number,
  own: OwnAnswers,
): GraphAnswer {
  const places = placesOf(state.model);
  const edges = new Map<string, Edge>();
  const others = new Map<string, GraphNode>();
  for (const flow of flows) addFlow(flow, places, state.model, edges, others);
  const answers = [...edges.values()].map((edge) => edgeAnswer(edge, seconds));
  const known = new Set<string>();
  const nodes = workloadAnswers(state).map((workload): GraphNode => {
    const id = workloadId(workload.namespace, workload.name);
    known.add(id);
    const sums = workload.gateway
      ? withOwn(rates(answers, id, 'source'), (own.get(id) ?? 0) / seconds)
      : rates(answers, id);
    const desired = state.desired.find(({ owner }) => workloadId(owner.namespace, owner.name) === id);
    return {
      id,
      kind: workload.gateway ? 'gateway' : 'workload',
      namespace: workload.namespace,
      name: workload.name,
      app: desired?.labels['app'] ?? desired?.labels['app.kubernetes.io/name'] ?? workload.name,
      version: workload.version,
      replicas: workload.replicas,
      ready: workload.ready,
      state: workload.state,
      sidecar: desired?.sidecar ?? false,
      engine: workload.engine,
      ...sums,
      health: worst(readiness(workload), healthOf(sums)),
    };
  });
  for (const [id, node] of others) {
    known.add(id);
    const sums = rates(answers, id);
    nodes.push({ ...node, ...sums, health: healthOf(sums) });
  }
  return {
    window,
    nodes,
    edges: answers.filter(({ source, target }) => known.has(source) && known.has(target)),
  };
}

interface Edge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly service: string;
  readonly port: number;
  readonly protocol: string;
  mtls: boolean;
  requests: number;
  connections: number;
  errors: number;
  clientErrors: number;
  unsent: number;
  shared: boolean;
  readonly times: Map<number, number>;
}

export const workloadId = (namespace: string, name: string): string => `workload/${namespace}/${name}`;

function addFlow(
  flow: Flow,
  places: Places,
  model: MeshModel,
  edges: Map<string, Edge>,
  others: Map<string, GraphNode>,
): void {
  const { service, port, number } = destinationOf(flow.cluster, places, model);
  const { source } = flow;
  const targets = new Set<Edge>();
  const edgeTo = (target: string): Edge => {
    const id = `${source} ${target} ${service?.hostname ?? ''}:${number}`;
    let edge = edges.get(id);
    if (edge === undefined) {
      const rest = { mtls: true, requests: 0, connections: 0, errors: 0, clientErrors: 0, unsent: 0, shared: false };
      const protocol = port?.protocol ?? 'auto';
      const name = service?.hostname ?? '';
      edge = { id, source, target, service: name, port: number, protocol, ...rest, times: new Map() };
      edges.set(id, edge);
    }
    targets.add(edge);
    return edge;
  };
  const elsewhere = (): string => {
    const node = otherNode(flow.cluster, service);
    others.set(node.id, node);
    return node.id;
  };
  for (const { target, requests, errors, clientErrors, connections, tls } of flow.targets.values()) {
    const edge = edgeTo(target === '' ? elsewhere() : target);
    edge.requests += requests;
    edge.errors += errors;
    edge.clientErrors += clientErrors;
    edge.connections += connections;
    edge.mtls &&= tls;
  }
  if (flow.unsent > 0) {
    // Whom it would have got to is anybody's guess when there are several.
    const edge = targets.size === 1 ? [...targets][0]! : edgeTo(elsewhere());
    if (targets.size > 1) edge.mtls = false;
    edge.unsent += flow.unsent;
  }
  for (const edge of targets) {
    edge.shared ||= targets.size > 1;
    for (const [ms, count] of flow.times) edge.times.set(ms, (edge.times.get(ms) ?? 0) + count);
  }
}

function edgeAnswer(edge: Edge, seconds: number): GraphEdge {
  const { id, source, target, service, port, protocol, mtls, times, shared } = edge;
  const bytes = BYTES.has(protocol) || (edge.requests === 0 && edge.connections > 0);
  const sums = {
    requestRate: round(((bytes ? edge.connections : edge.requests) + edge.unsent) / seconds),
    errorRate: round((edge.errors + edge.unsent) / seconds),
    clientErrorRate: round(edge.clientErrors / seconds),
  };
  const ascending = [...times].toSorted(([a], [b]) => a - b);
  return {
    id,
    source,
    target,
    service,
    port,
    protocol,
    mtls,
    ...sums,
    health: healthOf(sums),
    p50: quantile(ascending, 0.5) ?? null,
    p99: quantile(ascending, 0.99) ?? null,
    latencyShared: shared,
  };
}

function rates(edges: readonly GraphEdge[], id: string, end: 'source' | 'target' = 'target'): Rates {
  const sums = { requestRate: 0, errorRate: 0, clientErrorRate: 0 };
  for (const edge of edges) {
    if (edge[end] !== id) continue;
    sums.requestRate += edge.requestRate;
    sums.errorRate += edge.errorRate;
    sums.clientErrorRate += edge.clientErrorRate;
  }
  return {
    requestRate: round(sums.requestRate),
    errorRate: round(sums.errorRate),
    clientErrorRate: round(sums.clientErrorRate),
  };
}

interface Rates {
  readonly requestRate: number;
  readonly errorRate: number;
  readonly clientErrorRate: number;
}

/** Client errors of gateways' own making, by workload: what they refused went along no edge. */
export type OwnAnswers = ReadonlyMap<string, number>;

function withOwn({ requestRate, errorRate, clientErrorRate }: Rates, own: number): Rates {
  return {
    requestRate: round(requestRate + own),
    errorRate,
    clientErrorRate: round(clientErrorRate + own),
  };
}

function healthOf({ requestRate, errorRate, clientErrorRate }: Rates): Health {
  if (requestRate === 0) return 'idle';
  if (errorRate >= requestRate * FAILING) return 'failing';
  if (errorRate >= requestRate * DEGRADED && errorRate > 0) return 'degraded';
  return clientErrorRate >= requestRate * REFUSING ? 'degraded' : 'healthy';
}

function readiness({ replicas, ready }: { replicas: number; ready: number }): Health {
  if (replicas === 0 || ready >= replicas) return 'idle';
  return ready === 0 ? 'failing' : 'degraded';
}

const ORDER: readonly Health[] = ['idle', 'healthy', 'degraded', 'failing'];
const worst = (a: Health, b: Health): Health => (ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b);

/** To three digits after the point: what else there is is noise that would be sent again and again. */
const round = (value: number): number => Math.round(value * 1000) / 1000;

function otherNode(cluster: string, service: Service | undefined): GraphNode {
  const outside = service === undefined || service.registry === 'External' || service.meshExternal;
  const name = service?.hostname ?? (cluster === 'PassthroughCluster' ? 'other hosts' : cluster);
  return {
    id: `${outside ? 'external' : 'service'}/${service?.namespace ?? ''}/${name}`,
    kind: outside ? 'external' : 'service',
    namespace: outside ? '' : service.namespace,
    name,
    app: service?.name ?? name,
    version: '',
    replicas: 0,
    ready: 0,
    state: '',
    sidecar: false,
    engine: '',
    health: 'idle',
    requestRate: 0,
    errorRate: 0,
    clientErrorRate: 0,
  };
}

interface Places {
  /** Ids of workloads by `ADDRESS:PORT`. */
  readonly workloads: ReadonlyMap<string, string>;
  readonly services: ReadonlyMap<string, Service>;
}

/** By model: all that is said of one is known once. */
const computed = new WeakMap<MeshModel, Places>();

export function placesOf(model: MeshModel): Places {
  const known = computed.get(model);
  if (known !== undefined) return known;
  const workloads = new Map<string, string>();
  const services = new Map<string, Service>();
  for (const service of model.services) {
    // Kubernetes' own come before others of their name.
    if (!services.has(service.hostname) || service.registry === 'Kubernetes') services.set(service.hostname, service);
    for (const port of service.ports)
      for (const { address, port: number, namespace, workloadName } of model.endpoints(service, port))
        if (workloadName !== '') workloads.set(`${address}:${number}`, workloadId(namespace, workloadName));
  }
  const places = { workloads, services };
  computed.set(model, places);
  return places;
}

/** `outbound|PORT|SUBSET|HOST` */
function destinationOf(
  cluster: string,
  places: Places,
  model: MeshModel,
): { readonly service: Service | undefined; readonly port: ServicePort | undefined; readonly number: number } {
  const [direction, port = '', , host = ''] = cluster.split('|');
  if (direction !== 'outbound') return { service: undefined, port: undefined, number: 0 };
  const number = Number(port);
  const service = places.services.get(host) ?? model.services.find(({ hostname }) => hostname === host);
  return { service, port: service?.ports.find((each) => each.port === number), number };
}
