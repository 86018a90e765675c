import type { Deps } from '../deps.ts';
import { EdfScheduler } from './edf.ts';
import type { BalancedHost, HostPicker, LocalityHosts } from './types.ts';

/**
 * Locality-weighted balancing: first a locality, by its weight times how much of it is available (with Envoy's
 * overprovisioning; excluded hosts do not count), then a host within it. Undefined when no locality has weight and hosts.
 */
export function localityPicker(
  localities: readonly LocalityHosts[],
  kind: 'healthy' | 'degraded',
  overprovisioningFactor: number,
  makePicker: (hosts: readonly BalancedHost[]) => HostPicker,
  deps: Deps,
): HostPicker | undefined {
  const entries: { readonly picker: HostPicker; readonly weight: number }[] = [];
  for (const locality of localities) {
    const hosts = locality[kind];
    if (hosts.length === 0 || locality.weight === 0) continue;
    const counted = locality.hosts.filter((host) => host.excluded !== true).length;
    if (counted === 0) continue;
    const available = Math.min(1, (overprovisioningFactor / 100) * (hosts.length / counted));
    entries.push({ picker: makePicker(hosts), weight: locality.weight * available });
  }
  if (entries.length === 0) return undefined;
  if (entries.length === 1) return entries[0]!.picker;
  const schedule = new EdfScheduler<(typeof entries)[number]>();
  for (const entry of entries) schedule.add(entry, entry.weight);
  for (let i = deps.random.uint32() % entries.length; i > 0; i--) schedule.pick((entry) => entry.weight);
  return { pick: (context, attempt) => schedule.pick((entry) => entry.weight)?.picker.pick(context, attempt) };
}
