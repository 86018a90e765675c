import type { Tags } from '../../telemetry/tagged.ts';
import type { PeerFields } from '../peer.ts';
import type { Reporter } from './node.ts';
import type { ServiceLabels } from './service.ts';

/** What the labels of a request or a connection are made of, less how it ended. */
export interface Parties {
  readonly reporter: Reporter;
  readonly own: PeerFields;
  /** The other end; undefined: not known. */
  readonly peer: PeerFields | undefined;
  /** What a waypoint knows of where it sent the request. */
  readonly endpoint: PeerFields | undefined;
  readonly service: ServiceLabels;
  readonly peerPrincipal: string;
  readonly localPrincipal: string;
}

export interface Outcome {
  readonly protocol: 'http' | 'grpc' | 'tcp';
  /** Undefined: a connection has none. */
  readonly responseCode: number | undefined;
  readonly grpcStatus: string;
  readonly flags: string;
}

/** The labels that say who took part. */
export function partiesOf(parties: Parties): Tags {
  const { reporter } = parties;
  return [['reporter', reporter], ...(reporter === 'source' ? fromClient(parties) : fromServer(parties))];
}

/** All labels of Istio's standard metrics, in the order in which its proxy has them. */
export function labelsOf(parties: Parties, outcome: Outcome): Tags {
  const { reporter, peerPrincipal, localPrincipal } = parties;
  const security =
    reporter === 'source' ? 'unknown' : peerPrincipal !== '' && localPrincipal !== '' ? 'mutual_tls' : 'none';
  return [
    ...partiesOf(parties),
    ['request_protocol', outcome.protocol],
    ...(outcome.responseCode === undefined
      ? []
      : ([
          ['response_code', String(outcome.responseCode)],
          ['grpc_response_status', outcome.grpcStatus],
        ] as const)),
    ['response_flags', outcome.flags],
    ['connection_security_policy', security],
  ];
}

function fromClient({ own, peer, service, peerPrincipal, localPrincipal }: Parties): Tags {
  const namespace = known(namespaceOf(peerPrincipal) ?? peer?.namespace);
  return [
    ['source_workload', own.workload],
    ['source_canonical_service', own.service],
    ['source_canonical_revision', own.revision],
    ['source_workload_namespace', own.namespace],
    ['source_principal', known(localPrincipal)],
    ['source_app', own.app],
    ['source_version', own.version],
    ['source_cluster', own.cluster],
    ['destination_workload', known(peer?.workload)],
    ['destination_workload_namespace', namespace],
    ['destination_principal', known(peerPrincipal)],
    ['destination_app', known(peer?.app)],
    ['destination_version', known(peer?.version)],
    ['destination_service', known(service.host)],
    ['destination_canonical_service', known(peer?.service)],
    ['destination_canonical_revision', known(peer?.revision, 'latest')],
    ['destination_service_name', known(service.name)],
    ['destination_service_namespace', namespace],
    ['destination_cluster', known(peer?.cluster)],
  ];
}

function fromServer(parties: Parties): Tags {
  const { reporter, own, peer, endpoint, service, peerPrincipal, localPrincipal } = parties;
  const source: Tags = [
    ['source_workload', known(peer?.workload)],
    ['source_canonical_service', known(peer?.service)],
    ['source_canonical_revision', known(peer?.revision, 'latest')],
    ['source_workload_namespace', known(namespaceOf(peerPrincipal) ?? peer?.namespace)],
    ['source_principal', known(peerPrincipal)],
    ['source_app', known(peer?.app)],
    ['source_version', known(peer?.version)],
    ['source_cluster', known(peer?.cluster)],
  ];
  const at = reporter === 'waypoint' ? beyondGateway(endpoint) : here(own, localPrincipal);
  return [
    ...source,
    ['destination_workload', at.workload],
    ['destination_workload_namespace', at.namespace],
    ['destination_principal', at.principal],
    ['destination_app', at.app],
    ['destination_version', at.version],
    ['destination_service', service.host === '' ? at.service : service.host],
    ['destination_canonical_service', at.service],
    ['destination_canonical_revision', at.revision],
    ['destination_service_name', service.name === '' ? at.service : service.name],
    ['destination_service_namespace', own.namespace],
    ['destination_cluster', own.cluster],
  ];
}

type Destination = Readonly<
  Record<'workload' | 'namespace' | 'principal' | 'app' | 'version' | 'service' | 'revision', string>
>;

function here(own: PeerFields, localPrincipal: string): Destination {
  return { ...own, principal: known(localPrincipal) };
}

function beyondGateway(endpoint: PeerFields | undefined): Destination {
  return {
    workload: endpoint?.workload ?? 'unknown',
    namespace: known(endpoint?.namespace),
    principal: endpoint === undefined ? 'unknown' : '',
    app: known(endpoint?.app),
    version: endpoint?.version ?? 'unknown',
    service: endpoint?.service ?? 'unknown',
    revision: endpoint?.revision ?? 'unknown',
  };
}

function known(value: string | undefined, otherwise = 'unknown'): string {
  return value === undefined || value === '' ? otherwise : value;
}

/** `spiffe://cluster.local/ns/NAMESPACE/sa/ACCOUNT` */
function namespaceOf(principal: string): string | undefined {
  return /\/ns\/([^/]+)/.exec(principal)?.[1];
}
