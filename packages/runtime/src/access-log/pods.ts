import type { WorkloadAnswer } from '../api/types.ts';

/** Whose an address is that a request came to; empty where that cannot be told. */
export function podsOf({ pods }: WorkloadAnswer): (address: string) => string {
  const owners = new Map<string, string>();
  for (const { name, address, httpProxy, gatewayPorts } of pods) {
    owners.set(httpProxy, name);
    for (const place of Object.values(gatewayPorts)) owners.set(place, name);
    // Where every pod has the same one, it tells nothing.
    owners.set(address, owners.has(address) ? '' : name);
  }
  const only = pods.length === 1 ? pods[0]!.name : '';
  return (place) => owners.get(place) ?? owners.get(place.replace(/:\d+$/, '')) ?? only;
}
