import type { Snapshot } from '@mizzen/api';
import type { Labels } from './labels.ts';
import type { Locality } from './types.ts';

export const NOWHERE: Locality = { region: '', zone: '', subzone: '' };

export const REGION_LABEL = 'topology.kubernetes.io/region';
export const ZONE_LABEL = 'topology.kubernetes.io/zone';
export const SUBZONE_LABEL = 'topology.istio.io/subzone';
export const NETWORK_LABEL = 'topology.istio.io/network';
export const CLUSTER_LABEL = 'topology.istio.io/cluster';
export const HOSTNAME_LABEL = 'kubernetes.io/hostname';

/** `region/zone/subzone`, or with dots as in the `istio-locality` label; missing parts are empty. */
export function parseLocality(text: string, separator: '/' | '.' = '/'): Locality {
  const [region = '', zone = '', subzone = ''] = text.split(separator);
  return { region, zone, subzone, text: text.replaceAll(separator, '/') };
}

/** Where each Kubernetes Node says it is. */
export function nodeLocalities(snapshot: Snapshot): ReadonlyMap<string, Locality> {
  const out = new Map<string, Locality>();
  for (const node of snapshot.list('Node')) {
    const labels = node.metadata.labels ?? {};
    out.set(node.metadata.name, {
      region: labels[REGION_LABEL] ?? labels['failure-domain.beta.kubernetes.io/region'] ?? '',
      zone: labels[ZONE_LABEL] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? '',
      subzone: labels[SUBZONE_LABEL] ?? '',
    });
  }
  return out;
}

/** A workload's own `istio-locality` label outranks its node's labels. */
export function localityOf(
  labels: Labels,
  nodeName: string | undefined,
  nodes: ReadonlyMap<string, Locality>,
): Locality {
  const own = labels['istio-locality'];
  if (own !== undefined && own !== '') return parseLocality(own, own.includes('/') ? '/' : '.');
  return (nodeName === undefined ? undefined : nodes.get(nodeName)) ?? NOWHERE;
}
