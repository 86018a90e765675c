import type { networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';

export interface HeaderOperations {
  readonly requestHeadersToAdd?: readonly types.core.HeaderValueOption[];
  readonly requestHeadersToRemove?: readonly string[];
  readonly responseHeadersToAdd?: readonly types.core.HeaderValueOption[];
  readonly responseHeadersToRemove?: readonly string[];
}

/** What is set, then what is added, each by name. Pseudo headers and Host are not ordinary fields: see `authorityOf`. */
export function headerOperations(headers: networking.Headers | undefined): HeaderOperations {
  if (headers === undefined) return {};
  const { request, response } = headers;
  return {
    ...unlessNone('requestHeadersToAdd', additions(request)),
    ...unlessNone('requestHeadersToRemove', (request?.remove ?? []).filter(isOrdinary)),
    ...unlessNone('responseHeadersToAdd', additions(response)),
    ...unlessNone('responseHeadersToRemove', (response?.remove ?? []).filter(isOrdinary)),
  };
}

/** One after the other, as a route's own and those of its only destination. */
export function joinOperations(first: HeaderOperations, second: HeaderOperations): HeaderOperations {
  const join = <T>(a: readonly T[] = [], b: readonly T[] = []): readonly T[] => [...a, ...b];
  return {
    ...unlessNone('requestHeadersToAdd', join(first.requestHeadersToAdd, second.requestHeadersToAdd)),
    ...unlessNone('requestHeadersToRemove', join(first.requestHeadersToRemove, second.requestHeadersToRemove)),
    ...unlessNone('responseHeadersToAdd', join(first.responseHeadersToAdd, second.responseHeadersToAdd)),
    ...unlessNone('responseHeadersToRemove', join(first.responseHeadersToRemove, second.responseHeadersToRemove)),
  };
}

/** The Host that header operations ask for, if they do. */
export function authorityOf(headers: networking.Headers | undefined): string | undefined {
  const find = (map: Readonly<Record<string, string>> = {}): string | undefined =>
    Object.entries(map).find(([name]) => /^(:authority|host)$/i.test(name))?.[1];
  return find(headers?.request?.set) ?? find(headers?.request?.add);
}

function additions(operations: networking.Headers_HeaderOperations | undefined): types.core.HeaderValueOption[] {
  const sorted = (map: Readonly<Record<string, string>> = {}): [string, string][] =>
    Object.entries(map)
      .filter(([name]) => isOrdinary(name))
      .sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...sorted(operations?.set).map(([key, value]): types.core.HeaderValueOption => ({
      header: { key, value },
      appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD',
    })),
    ...sorted(operations?.add).map(([key, value]): types.core.HeaderValueOption => ({ header: { key, value } })),
  ];
}

function isOrdinary(name: string): boolean {
  return !name.startsWith(':') && name.toLowerCase() !== 'host';
}

function unlessNone<K extends string, T>(key: K, list: readonly T[]): { [P in K]?: readonly T[] } {
  return list.length === 0 ? {} : ({ [key]: list } as { [P in K]: readonly T[] });
}
