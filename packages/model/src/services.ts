import { isIP } from 'node:net';
import type { Resource, Snapshot, k8s, mesh, networking } from '@mizzen/api';
import { compare } from './order.ts';
import { protocolOf, servicePortProtocol } from './protocol.ts';
import { limitVisibility } from './service-entry-visibility.ts';
import { trafficDistributionOf } from './traffic-distribution.ts';
import type { Resolution, Service, ServicePort } from './types.ts';
import { exportedTo } from './visibility.ts';

const EXPORT_TO = 'networking.istio.io/exportTo';

const RESOLUTIONS: Readonly<Record<networking.ServiceEntry_Resolution, Resolution>> = {
  NONE: 'passthrough',
  STATIC: 'static',
  DNS: 'dns',
  DNS_ROUND_ROBIN: 'dns-round-robin',
  DYNAMIC_DNS: 'dynamic-dns',
};

/** Every Kubernetes Service and every host of every ServiceEntry, oldest first. */
export function collectServices(snapshot: Snapshot, domainSuffix: string): Service[] {
  const services: Service[] = [];
  for (const resource of snapshot.list('Service')) services.push(fromKubernetes(resource, snapshot.mesh, domainSuffix));
  for (const resource of snapshot.list('ServiceEntry')) services.push(...fromServiceEntry(resource, snapshot));
  return services.sort(byServiceAge);
}

/** Istio's order of services: like that of resources, but a ServiceEntry's hosts count by their own names. */
function byServiceAge(a: Service, b: Service): number {
  const created = (service: Service): string => service.resource.metadata.creationTimestamp ?? '';
  const name = ({ registry, hostname, name: own, namespace }: Service): string =>
    `${registry === 'External' ? hostname : own}.${namespace}`;
  return compare(created(a), created(b)) || compare(name(a), name(b));
}

function fromKubernetes(resource: Resource<k8s.ServiceSpec>, config: mesh.MeshConfig, domainSuffix: string): Service {
  const { name, namespace, labels = {}, annotations = {} } = resource.metadata;
  const spec = resource.spec;
  const external = spec.type === 'ExternalName' && spec.externalName !== undefined && spec.externalName !== '';
  const headless = !external && spec.clusterIP === 'None';
  const written = annotations[EXPORT_TO]?.split(',').map((to) => to.trim());
  return {
    hostname: `${name}.${namespace}.svc.${domainSuffix}`,
    name,
    namespace,
    registry: 'Kubernetes',
    ports: (spec.ports ?? []).map((port) => ({
      name: port.name ?? '',
      port: port.port,
      protocol: servicePortProtocol(port),
      targetPort: port.targetPort || port.port,
    })),
    addresses: headless || external ? [] : clusterAddresses(spec),
    resolution: external ? 'alias' : headless ? 'passthrough' : 'static',
    headless,
    meshExternal: false,
    exportTo: exportedTo(written, config.defaultServiceExportTo, namespace),
    labels,
    selector: external ? undefined : spec.selector,
    externalName: external ? spec.externalName : undefined,
    subjectAltNames: (annotations['alpha.istio.io/kubernetes-serviceaccounts'] ?? '')
      .split(',')
      .filter((account) => account !== '')
      .map((account) => `spiffe://${config.trustDomain ?? 'cluster.local'}/ns/${namespace}/sa/${account.trim()}`),
    trafficDistribution: trafficDistributionOf(spec.trafficDistribution, annotations),
    nodeLocal: spec.internalTrafficPolicy === 'Local',
    resource,
  };
}

function clusterAddresses(spec: k8s.ServiceSpec): readonly string[] {
  const all = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return all.filter((ip) => ip !== '' && ip !== 'None');
}

function fromServiceEntry(resource: Resource<networking.ServiceEntry>, snapshot: Snapshot): Service[] {
  const { name, namespace, labels = {}, annotations = {} } = resource.metadata;
  const spec = resource.spec;
  const ports: ServicePort[] = (spec.ports ?? []).map((port) => ({
    name: port.name ?? '',
    port: port.number ?? 0,
    protocol: protocolOf(port.protocol),
    targetPort: port.targetPort ?? port.number ?? 0,
  }));
  const written = exportedTo(spec.exportTo, snapshot.mesh.defaultServiceExportTo, namespace);
  const exportTo = limitVisibility(snapshot, namespace, written);
  return (spec.hosts ?? []).map((hostname) => ({
    hostname,
    name,
    namespace,
    registry: 'External',
    ports,
    addresses: (spec.addresses ?? []).filter(isAddress),
    resolution: RESOLUTIONS[spec.resolution ?? 'NONE'],
    headless: false,
    meshExternal: (spec.location ?? 'MESH_EXTERNAL') === 'MESH_EXTERNAL',
    exportTo,
    labels,
    selector: spec.workloadSelector?.labels,
    externalName: undefined,
    subjectAltNames: spec.subjectAltNames ?? [],
    trafficDistribution: trafficDistributionOf(undefined, annotations),
    nodeLocal: false,
    resource,
  }));
}

/** An IP address or a CIDR block. */
function isAddress(text: string): boolean {
  const slash = text.indexOf('/');
  return isIP(slash < 0 ? text : text.slice(0, slash)) !== 0;
}
