import type { ServiceEntry, WorkloadEntry } from '../gen/istio.networking.v1alpha3.ts';
import { fields, moot, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const NET = 'istio.networking.v1alpha3';

export const serviceEntry: MessageTable = {
  [`${NET}.ServiceEntry`]: fields<ServiceEntry>({
    hosts: yes('its names; each is a service', 'Cluster.name'),
    addresses: yes('more names of its HTTP ports; connections to them are not intercepted', 'VirtualHost.domains'),
    ports: yes('its ports'),
    location: yes('whether it is in the mesh; only then is mutual TLS spoken', 'Cluster.transportSocketMatches'),
    resolution: yes(
      'STATIC, DNS, DNS_ROUND_ROBIN; NONE and DYNAMIC_DNS go to the host the request names',
      'Cluster.type',
      'Cluster.clusterType',
    ),
    endpoints: yes('where it is; for DNS the hosts themselves when left out', 'ClusterLoadAssignment.endpoints'),
    workloadSelector: yes('pods and WorkloadEntries that are its endpoints', 'ClusterLoadAssignment.endpoints'),
    exportTo: yes('namespaces it is visible in'),
    subjectAltNames: yes('identities its endpoints may have', 'CertificateValidationContext.matchSubjectAltNames'),
  }),
  [`${NET}.WorkloadEntry`]: fields<WorkloadEntry>({
    address: yes('IP address, host name, or `unix://PATH`', 'Endpoint.address'),
    ports: yes('port name → port', 'Endpoint.address'),
    labels: yes('for selectors and subsets'),
    network: moot('there is one network'),
    locality: yes('`region/zone/subzone`', 'LocalityLbEndpoints.locality'),
    weight: yes('its share', 'LbEndpoint.loadBalancingWeight'),
    serviceAccount: yes(
      'its identity; with one, mutual TLS is spoken to it',
      'CertificateValidationContext.matchSubjectAltNames',
    ),
  }),
};
