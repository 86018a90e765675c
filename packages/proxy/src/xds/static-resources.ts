import { TypeUrl } from '@mizzen/xds';

/** Resources that never change, by type URL. */
export type StaticResources = Readonly<
  Record<string, readonly { readonly name: string; readonly resource: unknown }[]>
>;

/** Where a bootstrap has them. */
export const STATIC_LISTS: Readonly<Record<string, string>> = {
  [TypeUrl.listener]: 'listeners',
  [TypeUrl.cluster]: 'clusters',
  [TypeUrl.secret]: 'secrets',
};

/** The `static_resources` of a bootstrap, either spelling of its fields; those without a name are given one. */
export function staticResources(bootstrap: unknown, nextName: () => string): StaticResources {
  const resources = field(bootstrap, 'staticResources', 'static_resources');
  const named = (key: string): { name: string; resource: unknown }[] => {
    const list = field(resources, key);
    if (!Array.isArray(list)) return [];
    return list.map((resource: unknown) => ({ name: nameOf(resource) ?? nextName(), resource }));
  };
  return Object.fromEntries(Object.entries(STATIC_LISTS).map(([typeUrl, key]) => [typeUrl, named(key)]));
}

function nameOf(resource: unknown): string | undefined {
  const name: unknown = field(resource, 'name');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function field(value: unknown, ...names: string[]): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const name of names) {
    if (name in value) return (value as Record<string, unknown>)[name];
  }
  return undefined;
}
