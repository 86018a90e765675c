import type { ClusterLoadAssignment } from '@mizzen/xds';
import type { NodeConfig } from '../xds/types.ts';

/** The endpoints of one port of a service, as istiod's `/debug/endpointz` groups them. */
export interface ServiceEndpoints {
  /** `HOST:PORT-NAME`. */
  readonly svc: string;
  readonly ep: readonly ServiceEndpoint[];
}
export interface ServiceEndpoint {
  readonly address: string;
  readonly endpointPort: number;
  readonly labels: Readonly<Record<string, string>>;
  /** SPIFFE id; empty without one. */
  readonly serviceAccount: string;
  readonly healthy: boolean;
  readonly locality: string;
}

/** `/debug/endpointz?proxyID=`: what EDS sends one proxy, by cluster name. */
export function proxyEndpoints({ endpoints }: NodeConfig): ClusterLoadAssignment[] {
  const key = ({ clusterName = '' }: ClusterLoadAssignment): string => clusterName;
  return endpoints.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
