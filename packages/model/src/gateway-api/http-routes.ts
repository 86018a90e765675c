import { refOf, type Resource, type WrittenAt, type gwapi, type networking } from '@mizzen/api';
import type { Diagnostic, Path } from '@mizzen/diagnostics';
import { isDeepStrictEqual } from 'node:util';
import { hostsOverlap, isSubsetOf, isWildcard } from '../hosts.ts';
import { compare } from '../order.ts';
import { attachmentsOf } from './attach.ts';
import type { BackendContext } from './backends.ts';
import { byRank } from './match.ts';
import { PARENTS, ROUTE_SEMANTICS, unmergedName } from './names.ts';
import type { Attachment, ListenerParent } from './parents.ts';
import { Problems } from './problems.ts';
import { type ConvertedRule, convertRules } from './rules.ts';

type HTTPRoute = Resource<gwapi.HTTPRouteSpec>;
type Context = Omit<BackendContext, 'route' | 'needsGrant' | 'problems'> & {
  readonly listeners: readonly ListenerParent[];
};
type VirtualService = Resource<networking.VirtualService>;

/** What one HTTPRoute says of one host at one place; those with the same key become one VirtualService. */
interface Part {
  readonly key: string;
  readonly gateway: string;
  readonly host: string;
  readonly hostAt: Path;
  readonly name: string;
  readonly source: HTTPRoute;
  readonly rules: readonly ConvertedRule[];
}

interface RouteParts {
  readonly parts: readonly Part[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What became of HTTPRoutes, for a later conversion. */
export interface ConvertedRoutes {
  readonly virtualServices: readonly VirtualService[];
  readonly diagnostics: readonly Diagnostic[];
  readonly byRoute: ReadonlyMap<HTTPRoute, RouteParts>;
  readonly byKey: ReadonlyMap<string, { readonly parts: readonly Part[]; readonly made: VirtualService }>;
}

/**
 * VirtualServices of one host each, whose routes are in the order in which the Gateway API looks at them. `unchanged`:
 * nothing but HTTPRoutes differs from `previous`.
 */
export function convertHttpRoutes(
  context: Context,
  previous: ConvertedRoutes | undefined,
  unchanged: boolean,
): ConvertedRoutes {
  const byRoute = new Map<HTTPRoute, RouteParts>();
  const collected = new Map<string, Part[]>();
  for (const source of context.snapshot.list('HTTPRoute')) {
    const own = (unchanged ? previous?.byRoute.get(source) : undefined) ?? partsOf(context, source);
    byRoute.set(source, own);
    for (const part of own.parts) {
      const known = collected.get(part.key);
      if (known === undefined) collected.set(part.key, [part]);
      else if (known.at(-1)?.source !== source) known.push(part);
    }
  }
  const byKey = new Map<string, { readonly parts: readonly Part[]; readonly made: VirtualService }>();
  for (const [key, parts] of collected) {
    parts.sort(byCreation);
    const known = previous?.byKey.get(key);
    const same = known?.parts.length === parts.length && known.parts.every((part, i) => part === parts[i]);
    byKey.set(key, same ? known : { parts, made: made(key, parts, known?.made) });
  }
  return {
    virtualServices: [...byKey.values()].map((each) => each.made),
    diagnostics: [...byRoute.values()].flatMap(({ diagnostics }) => diagnostics),
    byRoute,
    byKey,
  };
}

function made(key: string, parts: readonly Part[], before: VirtualService | undefined): VirtualService {
  const now = virtualService(key, parts);
  return before !== undefined && isDeepStrictEqual(before, now) ? before : now;
}

function partsOf(base: Context, source: HTTPRoute): RouteParts {
  const problems = new Problems();
  const context = { ...base, problems };
  const attachments = attachmentsOf(context, source);
  const convert = (needsGrant: boolean): ConvertedRule[] =>
    convertRules({ ...context, route: source, needsGrant }, source);
  const [mesh, gateway] = (['mesh', 'listener'] as const).map((kind) =>
    attachments.some((each) => each.kind === kind) ? convert(kind === 'listener') : [],
  );
  const parts: Part[] = [];
  for (const attachment of attachments) {
    const rules = attachment.kind === 'mesh' ? onPort(mesh ?? [], attachment.port) : (gateway ?? []);
    if (rules.length === 0) continue;
    for (const { host, at } of hostsOf(attachment, source)) {
      const place = placeOf(attachment, source);
      parts.push({
        key: `${place}/${host}`,
        gateway: attachment.kind === 'mesh' ? 'mesh' : attachment.listener.internalName,
        host,
        hostAt: at,
        name: unmergedName(source.metadata.name, parts.length),
        source,
        rules,
      });
    }
  }
  return { parts, diagnostics: problems.list };
}

function placeOf(attachment: Attachment, { metadata }: HTTPRoute): string {
  if (attachment.kind === 'listener') return attachment.listener.internalName;
  return attachment.port === undefined ? metadata.namespace : `${metadata.namespace}/${attachment.port}`;
}

function hostsOf(attachment: Attachment, { spec }: HTTPRoute): { readonly host: string; readonly at: Path }[] {
  if (attachment.kind === 'mesh') {
    return attachment.hosts.map((host) => ({ host, at: ['spec', 'parentRefs', attachment.index] }));
  }
  const { hostnames = [] } = spec;
  const all =
    hostnames.length === 0
      ? [{ host: '*', at: ['spec'] }]
      : hostnames.map((host, i) => ({ host, at: ['spec', 'hostnames', i] }));
  return all.filter(({ host }) => isOwn(host, attachment.listener.hostname, attachment.others));
}

/** A host belongs to the listener whose hostname fits it best, even if routes are attached to a wider one, too. */
function isOwn(host: string, own: string, others: readonly string[]): boolean {
  if (own !== '' && !isWildcard(own)) return true;
  if (own !== '' && !hostsOverlap(host, own)) return false;
  return !others.some((other) => own.length <= other.length && isSubsetOf(host, other));
}

function onPort(rules: readonly ConvertedRule[], port: number | undefined): readonly ConvertedRule[] {
  if (port === undefined) return rules;
  return rules.map((rule) => {
    const { match = [] } = rule.route;
    return {
      ...rule,
      route: { ...rule.route, match: match.length === 0 ? [{ port }] : match.map((each) => ({ ...each, port })) },
    };
  });
}

/** The oldest first; then by namespace and name. */
function byCreation(a: Part, b: Part): number {
  const [one, other] = [a.source.metadata, b.source.metadata];
  return (
    compare(one.creationTimestamp ?? '', other.creationTimestamp ?? '') ||
    compare(one.namespace, other.namespace) ||
    compare(a.name, b.name)
  );
}

function virtualService(key: string, parts: readonly Part[]): VirtualService {
  const first = parts[0]!;
  const { namespace, creationTimestamp } = first.source.metadata;
  const metadata = {
    name: key.replaceAll('/', '~'),
    namespace,
    annotations: {
      [PARENTS]: parts.map(({ source }) => `HTTPRoute/${source.metadata.name}.${source.metadata.namespace}`).join(','),
      [ROUTE_SEMANTICS]: 'gateway',
    },
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
  };
  const rules = parts
    .flatMap(({ rules: each, source }) => each.map((rule) => ({ ...rule, source })))
    .sort((a, b) => byRank(a.rank, b.rank));
  const spec = { hosts: [first.host], gateways: [first.gateway], http: rules.map(({ route }) => route) };
  const writtenAt = new Map<string, { resource: ReturnType<typeof refOf>; path: Path }>();
  const ref = refOf(first.source);
  writtenAt.set('', { resource: ref, path: ['spec'] });
  writtenAt.set('spec.hosts.0', { resource: ref, path: first.hostAt });
  rules.forEach(({ parts: pieces, source }, index) => {
    const resource = refOf(source);
    for (const [own, path] of pieces) writtenAt.set(['spec', 'http', index, ...own].join('.'), { resource, path });
  });
  const apiVersion = 'networking.istio.io/v1';
  return {
    apiVersion,
    kind: 'VirtualService',
    metadata,
    spec,
    body: { apiVersion, kind: 'VirtualService', metadata, spec },
    source: first.source.source,
    order: first.source.order,
    writtenAt: writtenAt satisfies WrittenAt,
  };
}
