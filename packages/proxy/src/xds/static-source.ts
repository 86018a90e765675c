import { TypeUrl } from '@mizzen/xds';
import type { Nack } from '../types.ts';
import type { XdsHandler, XdsResource, XdsSource, XdsSubscription } from './source.ts';

/** Resources that never change, by type URL. */
export type StaticResources = Readonly<
  Record<string, readonly { readonly name: string; readonly resource: unknown }[]>
>;

/** Answers once, from what it was given; refusals go to `onRefused`. */
export class StaticSource implements XdsSource {
  readonly #resources: StaticResources;
  readonly #onRefused: (nack: Nack) => void;

  constructor(resources: StaticResources, onRefused: (nack: Nack) => void) {
    this.#resources = resources;
    this.#onRefused = onRefused;
  }

  subscribe(typeUrl: string, handler: XdsHandler): XdsSubscription {
    const all: readonly XdsResource[] = (this.#resources[typeUrl] ?? []).map(({ name, resource }) => ({
      name,
      version: 'static',
      resource,
    }));
    const told = new Set<string>();
    return {
      follow: (names) => {
        const fresh = names === '*' ? all : all.filter(({ name }) => names.has(name) && !told.has(name));
        const missing =
          names === '*'
            ? []
            : [...names].filter((name) => !told.has(name) && !all.some((resource) => resource.name === name));
        for (const name of [...fresh.map((resource) => resource.name), ...missing]) told.add(name);
        if (names !== '*' && fresh.length === 0 && missing.length === 0) return;
        for (const nack of handler({ resources: fresh, removed: missing })) this.#onRefused(nack);
      },
    };
  }

  close(): void {}
}

/** The `static_resources` of a bootstrap, either spelling of its fields. */
export function staticResources(bootstrap: unknown): StaticResources {
  const resources = field(bootstrap, 'staticResources', 'static_resources');
  const named = (key: string): { name: string; resource: unknown }[] => {
    const list = field(resources, key);
    if (!Array.isArray(list)) return [];
    return list.map((resource: unknown, index) => ({ name: nameOf(resource) ?? `${key}-${index}`, resource }));
  };
  return {
    [TypeUrl.listener]: named('listeners'),
    [TypeUrl.cluster]: named('clusters'),
    [TypeUrl.secret]: named('secrets'),
  };
}

function nameOf(resource: unknown): string | undefined {
  const name: unknown = field(resource, 'name');
  return typeof name === 'string' ? name : undefined;
}

function field(value: unknown, ...names: string[]): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const name of names) {
    if (name in value) return (value as Record<string, unknown>)[name];
  }
  return undefined;
}
