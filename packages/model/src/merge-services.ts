import { isDeepStrictEqual } from 'node:util';
import type { Service } from './types.ts';

/**
 * Of services of one name in several namespaces, those of one namespace: the proxy's own, else the first one's, or
 * Kubernetes' own before any ServiceEntry. Several of that namespace all stay.
 */
export function oneNamespaceEach(services: readonly Service[], namespace: string): readonly Service[] {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const known = chosen.get(service.hostname);
    const own = service.namespace === namespace;
    const kubernetes = service.registry === 'Kubernetes' && known?.registry !== 'Kubernetes';
    if (known === undefined || own || (kubernetes && known.namespace !== namespace)) {
      chosen.set(service.hostname, service);
    }
  }
  return services.filter((service) => chosen.get(service.hostname)?.namespace === service.namespace);
}

/**
 * Puts services together, one of each name: the first, unless a later one is Kubernetes' own. ServiceEntries that are
 * alike but for their ports add these up.
 */
export class MergedServices {
  readonly services: Service[] = [];
  readonly #index = new Map<string, number>();

  add(service: Service | undefined): void {
    if (service === undefined) return;
    const at = this.#index.get(service.hostname);
    const known = at === undefined ? undefined : this.services[at];
    if (at === undefined || known === undefined) {
      this.#index.set(service.hostname, this.services.length);
      this.services.push(service);
    } else if (known.registry !== service.registry) {
      if (service.registry === 'Kubernetes') this.services[at] = service;
    } else if (known !== service && areAlike(known, service)) {
      const missing = service.ports.filter(({ port }) => !known.ports.some((other) => other.port === port));
      if (missing.length > 0) this.services[at] = { ...known, ports: [...known.ports, ...missing] };
    }
  }
}

export function mergeServices(services: readonly Service[]): readonly Service[] {
  const merged = new MergedServices();
  for (const service of services) merged.add(service);
  return merged.services;
}

function areAlike(a: Service, b: Service): boolean {
  return (
    a.namespace === b.namespace &&
    a.resolution === b.resolution &&
    isDeepStrictEqual(a.labels, b.labels) &&
    isDeepStrictEqual(a.selector ?? {}, b.selector ?? {}) &&
    isDeepStrictEqual([...a.exportTo].sort(), [...b.exportTo].sort())
  );
}

/** A service with only these ports (all of them where 0 is among them); undefined when it has none of them. */
export function trimToPorts(service: Service, numbers: ReadonlySet<number>): Service | undefined {
  if (numbers.has(0)) return service;
  const ports = service.ports.filter(({ port }) => numbers.has(port));
  if (ports.length === 0) return undefined;
  return ports.length === service.ports.length ? service : { ...service, ports };
}
