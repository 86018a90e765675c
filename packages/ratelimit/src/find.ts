import { UNITS, type Limit, type Limits, type Node, type Unit } from './config.ts';

/** What a request is counted as: `envoy.extensions.common.ratelimit.v3.RateLimitDescriptor`. */
export interface Descriptor {
  readonly entries?: readonly { readonly key?: string; readonly value?: string }[];
  readonly limit?: { readonly requestsPerUnit?: number; readonly unit?: string };
  readonly hitsAddend?: string | number;
}

/** A request that cannot be counted as it is. */
export class RequestError extends Error {}

/** The limit for a descriptor: the rule as deep as the descriptor is long, or what the descriptor itself brings. @throws RequestError */
export function findLimit(limits: Limits, domain: string, descriptor: Descriptor): Limit | undefined {
  const entries = descriptor.entries ?? [];
  const root = limits.get(domain);
  if (root === undefined) return undefined;
  if (descriptor.limit !== undefined) {
    const { requestsPerUnit = 0, unit = '' } = descriptor.limit;
    if (!(unit in UNITS)) throw new RequestError(`a limit of unit \`${unit || 'UNKNOWN'}\` is not supported`);
    return {
      name: '',
      unlimited: false,
      unit: unit as Unit,
      requestsPerUnit,
      replaces: [],
      shadow: false,
      detailed: false,
      statKey: `${domain}.${entries.map(named).join('.')}`,
    };
  }
  let node: Node | undefined = root;
  const path: string[] = [domain];
  let detailed = false;
  for (const entry of entries) {
    const full = named(entry);
    const exact: Node | undefined = node.children.get(full);
    const found: Node | undefined =
      exact ?? node.prefixes.find(([prefix]) => full.startsWith(prefix))?.[1] ?? node.children.get(entry.key ?? '');
    if (found === undefined) return undefined;
    detailed ||= found.detailed;
    path.push(full);
    node = found;
  }
  const { limit } = node;
  if (limit === undefined || entries.length === 0) return undefined;
  return detailed ? { ...limit, statKey: path.join('.') } : limit;
}

function named({ key = '', value = '' }: { readonly key?: string; readonly value?: string }): string {
  return value === '' ? key : `${key}_${value}`;
}
