import type { Listener } from '@mizzen/xds';

/** Names of the configurations that listeners leave to be fetched by themselves, in order of appearance. */
export function discoveredNames(listeners: readonly Listener[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const listener of listeners) visit(listener, names);
  return names;
}

/** Listener filters, network filters and HTTP filters of connection managers may be such, wherever chains hold them. */
function visit(value: unknown, names: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  const { name, configDiscovery } = value as { readonly name?: unknown; readonly configDiscovery?: unknown };
  if (configDiscovery !== undefined && typeof name === 'string') names.add(name);
  for (const child of Object.values(value)) visit(child, names);
}
