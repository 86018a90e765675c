import { spiffeId } from '@mizzen/control-plane';
import { locate, refOf, resourceKey } from '@mizzen/api';
import type { Snapshot } from '@mizzen/api';
import type { Diagnostic } from '@mizzen/diagnostics';
import type { MeshModel } from '@mizzen/model';
import type { LocalProxy } from '@mizzen/translator';
import type { ReadResult } from '@mizzen/sources';
import type { ControlState } from '../control/control.ts';
import type { ProxyState } from '../control/proxies.ts';
import type { DesiredWorkload, PodStatus, WorkloadStatus } from '../protocol.ts';
import type {
  ConfigStatusAnswer,
  DiagnosticAnswer,
  PodAnswer,
  ProxyAnswer,
  ReadyAnswer,
  ResourceAnswer,
  ServicesAnswer,
  WorkloadAnswer,
} from './types.ts';

/** Ready when every workload has its replicas, or they have done their work; a workload that nobody has begun to start is waited for, too. */
export function readyAnswer(state: ControlState): ReadyAnswer {
  const waiting = workloadAnswers(state)
    .filter(({ ready, replicas, pods }) => ready + pods.filter(({ phase }) => phase === 'Succeeded').length < replicas)
    .map(({ namespace, name, ready, replicas, state: text }) => ({ namespace, name, ready, replicas, state: text }));
  return { ready: waiting.length === 0, waiting };
}

export function workloadAnswers(state: ControlState): WorkloadAnswer[] {
  return state.desired.map((desired) => workloadAnswer(state, desired));
}

function workloadAnswer({ statuses, pods, model }: ControlState, desired: DesiredWorkload): WorkloadAnswer {
  const { owner, serviceAccount, version } = desired;
  const same = (other: WorkloadStatus['owner']): boolean =>
    other.kind === owner.kind && other.namespace === owner.namespace && other.name === owner.name;
  const status = statuses.find((each) => same(each.owner));
  const own = pods.filter((pod) => same(pod.owner));
  const gateway = desired.gatewayPorts !== undefined;
  const { trustDomain } = model;
  return {
    kind: owner.kind,
    namespace: owner.namespace,
    name: owner.name,
    version,
    replicas: status?.replicas ?? desired.replicas,
    ready: status?.ready ?? own.filter((pod) => pod.ready && !pod.terminating).length,
    gateway,
    standIn: status?.standIn ?? own.some((pod) => pod.standIn),
    engine: desired.engine ?? '',
    serviceAccount,
    identity: desired.sidecar || gateway ? spiffeId({ trustDomain, namespace: owner.namespace, serviceAccount }) : '',
    inboundRequests: status?.inboundRequests ?? 0,
    outboundRequests: status?.outboundRequests ?? 0,
    state: status?.state ?? 'starting',
    containers: desired.containers.map(({ name }) => name),
    pods: own.map((pod) => podAnswer(pod, desired)),
  };
}

function podAnswer(pod: PodStatus, desired: DesiredWorkload): PodAnswer {
  const proxy = pod.nodeMetadata?.['MIZZEN'] as LocalProxy | undefined;
  const gateway = proxy?.gateway;
  const ports = gateway === undefined ? {} : (desired.gatewayPorts ?? gateway.ports);
  return {
    name: pod.name,
    phase: pod.phase,
    ready: pod.ready,
    restarts: pod.restarts,
    message: pod.message ?? '',
    address: pod.address,
    labels: pod.labels,
    node: pod.node ?? '',
    httpProxy: proxy?.httpProxy === undefined ? '' : `${proxy.httpProxy.address}:${proxy.httpProxy.port}`,
    applicationPorts: pod.applicationPorts,
    gatewayPorts: Object.fromEntries(
      Object.entries(ports).map(([port, local]) => [port, `${gateway?.address}:${local}`]),
    ),
  };
}

export function servicesAnswer(model: MeshModel): ServicesAnswer {
  return {
    services: model.services.map((service) => ({
      hostname: service.hostname,
      namespace: service.namespace,
      registry: service.registry,
      ports: service.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
      endpoints: service.ports.flatMap((port) =>
        model.endpoints(service, port).map((endpoint) => ({
          address: endpoint.address,
          port: endpoint.port,
          servicePort: port.port,
          workload: endpoint.workloadName,
          healthy: endpoint.healthy,
          mtls: endpoint.tlsMode === 'istio',
        })),
      ),
    })),
  };
}

export interface ConfigInput {
  readonly paths: readonly string[];
  readonly meshConfig: string | undefined;
  readonly directory: string;
}

export function configStatusAnswer(
  state: ControlState,
  proxies: readonly ProxyState[],
  input: ConfigInput,
): ConfigStatusAnswer {
  const { result, model, pods, diagnostics } = state;
  const resources = resourceAnswers(model.snapshot, result, diagnostics);
  const files = new Set(
    resources
      .map(({ source }) => source.replace(/:\d+$/, ''))
      .filter((file) => file !== '' && !file.startsWith('<default>')),
  );
  return {
    paths: input.paths,
    meshConfig: input.meshConfig ?? '',
    directory: input.directory,
    files: [...files],
    resources,
    diagnostics: diagnostics.map(diagnosticAnswer),
    proxies: proxies.map((proxy) =>
      proxyAnswer(
        proxy,
        pods.find((pod) => pod.node === proxy.node),
      ),
    ),
  };
}

function resourceAnswers(
  snapshot: Snapshot,
  { keptLastGood, refused }: ReadResult,
  diagnostics: readonly Diagnostic[],
): ResourceAnswer[] {
  const kept = new Set(keptLastGood.map(resourceKey));
  const answers: ResourceAnswer[] = [];
  for (const shown of KINDS_SHOWN) {
    for (const resource of snapshot.list(shown)) {
      const { source } = resource;
      const place = source.file.startsWith('<default>') ? undefined : locate(resource, ['metadata', 'name']);
      const ref = refOf(resource);
      answers.push({
        ...ref,
        source: place === undefined ? '<default>' : `${place.file}:${place.line}`,
        state: kept.has(resourceKey(ref)) ? 'last good' : 'in force',
      });
    }
  }
  for (const ref of refused) {
    const { apiVersion, kind, namespace, name } = ref;
    const place = diagnostics.find(
      (each) => each.ref !== undefined && resourceKey(each.ref) === resourceKey(ref),
    )?.span;
    const source = place === undefined ? '' : `${place.file}:${place.line}`;
    answers.push({ apiVersion, kind, namespace, name, source, state: 'refused' });
  }
  return answers;
}

const KINDS_SHOWN = [
  'Namespace',
  'ServiceAccount',
  'Service',
  'Deployment',
  'StatefulSet',
  'Pod',
  'ConfigMap',
  'Secret',
  'GatewayClass',
  'KubernetesGateway',
  'HTTPRoute',
  'ReferenceGrant',
  'Gateway',
  'VirtualService',
  'DestinationRule',
  'ServiceEntry',
  'WorkloadEntry',
  'WorkloadGroup',
  'Sidecar',
  'EnvoyFilter',
  'ProxyConfig',
  'Telemetry',
  'WasmPlugin',
  'PeerAuthentication',
  'RequestAuthentication',
  'AuthorizationPolicy',
  'IstioOperator',
] as const;

export function diagnosticAnswer({ code, severity, message, span, help }: Diagnostic): DiagnosticAnswer {
  return {
    code,
    severity,
    message,
    file: span?.file ?? '',
    line: span?.line ?? 0,
    column: span?.column ?? 0,
    help: help ?? '',
  };
}

function proxyAnswer(proxy: ProxyState, pod: PodStatus | undefined): ProxyAnswer {
  return {
    node: proxy.node,
    namespace: pod?.namespace ?? '',
    pod: pod?.name ?? '',
    connected: proxy.connected,
    types: proxy.types,
    refusals: proxy.refusals.map(({ typeUrl, resource, field, message, origin }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf('.') + 1),
      resource,
      field,
      message,
      source: origin === undefined ? '' : `${origin.file}:${origin.line}`,
    })),
  };
}
