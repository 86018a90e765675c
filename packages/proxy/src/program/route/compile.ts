import { compileDecorator, compileRouteTracing } from '../../tracing/compile.ts';
import { TypeUrl, type types } from '@mizzen/xds';
import { compileRateLimits } from '../../filter/ratelimit/policies.ts';
import { compilePerFilter, mergePerFilter, NO_FILTERS } from '../../filter/per-route.ts';
import type {
  RequestHead,
  StreamInfo,
  DirectBody,
  MirrorProgram,
  PerFilter,
  RouteActionProgram,
  RouteEntry,
  VirtualHostProgram,
} from '../../types.ts';
import { CompileContext } from '../context.ts';
import { compileBodyFormat } from '../listener/local-reply.ts';
import { compileMutations, isEmpty, type HeaderMutations } from '../headers.ts';
import type { Path } from '../path.ts';
import { readResource } from '../read-resource.ts';
import type { Compiled, CompileDeps, RouteConfigProgram } from '../types.ts';
import { asciiLower, dataSource } from '../values.ts';
import { compileAction, compileHedges, compileMirrors, type Inherited } from './action.ts';
import { compileSpecifiers, type ClusterSpecifier } from './cluster-specifier.ts';
import { compileClusterChoice, nowhere, type ClusterChoice } from './cluster.ts';
import type { Condition } from './condition.ts';
import { makeFinder } from './find.ts';
import { compileMatch } from './match.ts';
import { compileRouteMatcher } from './route-matcher.ts';
import { compileRedirect, type Redirect } from './redirect.ts';
import { compileRetry } from './retry.ts';
import { compileHostRewrite, compilePathRewrite } from './rewrite.ts';
import { requestRewriter, responseRewriter, responseTrimmer } from './rewriter.ts';
import { routeGroup, virtualClusterGroup } from '../../telemetry/request-groups.ts';
import { compileVirtualClusters } from './virtual-clusters.ts';
import { DomainIndex } from './virtual-hosts.ts';

/** A route as the finder reads it. */
export interface CompiledRoute extends RouteEntry {
  readonly conditions: readonly Condition[];
  readonly does: RouteEffect;
}
export type RouteEffect =
  | { readonly kind: 'cluster'; readonly choice: ClusterChoice }
  | { readonly kind: 'redirect'; readonly redirect: Redirect }
  | {
      readonly kind: 'direct';
      readonly status: number;
      readonly body: string;
      readonly format?: DirectBody | undefined;
    };

export interface CompiledVirtualHost extends VirtualHostProgram {
  readonly index: number;
  readonly domains: readonly string[];
  readonly routes: readonly CompiledRoute[];
  /** Chooses routes in place of `routes`; undefined: there is only the list. */
  readonly choose: ((request: RequestHead, info: StreamInfo) => readonly CompiledRoute[] | undefined) | undefined;
  readonly requireTls: 'NONE' | 'EXTERNAL_ONLY' | 'ALL';
  /** Answers what `requireTls` does not let in. */
  readonly tlsRoute: CompiledRoute;
}

/** Where a compiled configuration stands: for traces. An inline one is within a listener. */
export interface RoutePlace {
  readonly type: 'route' | 'listener';
  readonly resource: string;
  readonly path: Path;
}

/** Compiles an RDS resource. Pure: nothing outside `deps` is touched. */
export function compileRouteConfiguration(resource: unknown, deps: CompileDeps): Compiled<RouteConfigProgram> {
  const read = readResource(TypeUrl.route, resource);
  if (read.nacks.length > 0) return { nacks: read.nacks };
  const config = read.resource as types.route.RouteConfiguration;
  const context = new CompileContext(TypeUrl.route, config.name ?? '', deps);
  // The same program serves all proxies that are sent it, whatever clusters each has.
  if (config.validateClusters === true)
    context.refuse(['validateClusters'], 'clusters of routes over RDS are looked up by each request');
  const program = compileRoutes(context, config, [], { type: 'route', resource: config.name ?? '', path: [] });
  return context.nacks.length > 0 ? { nacks: context.nacks } : { program };
}

/** Compiles a configuration that was read and checked, wherever it stood. */
export function compileRoutes(
  context: CompileContext,
  config: types.route.RouteConfiguration,
  path: Path,
  place: RoutePlace,
): RouteConfigProgram {
  const domains = new DomainIndex<CompiledVirtualHost>();
  const clusterNames = new Set<string>();
  const scope: Scope = {
    context,
    clusterNames,
    requestGroups: new Set(),
    specifiers: compileSpecifiers(context, config.clusterSpecifierPlugins, [...path, 'clusterSpecifierPlugins']),
    ignorePathParameters: config.ignorePathParametersInPathMatching === true,
    mostSpecificWins: config.mostSpecificHeaderMutationsWins === true,
    maxBody: (config.maxDirectResponseBodySizeBytes ?? 4096) || Infinity,
    perFilter: compilePerFilter(context, config.typedPerFilterConfig, [...path, 'typedPerFilterConfig']),
    mirrors: compileMirrors(context, config.requestMirrorPolicies, [...path, 'requestMirrorPolicies']),
    request: compileMutations(context, config.requestHeadersToAdd, config.requestHeadersToRemove, path, 'request'),
    response: compileMutations(context, config.responseHeadersToAdd, config.responseHeadersToRemove, path, 'response'),
  };
  const hosts = (config.virtualHosts ?? []).map((host, i) => {
    const at = [...path, 'virtualHosts', i];
    const compiled = compileVirtualHost(scope, host, i, at);
    (host.domains ?? []).forEach((domain, j) => {
      if (!domains.add(domain, compiled))
        context.refuse([...at, 'domains', j], `\`${domain}\` belongs to another virtual host`);
    });
    if (host.domains === undefined || host.domains.length === 0)
      context.refuse([...at, 'domains'], 'must not be empty');
    return compiled;
  });
  return {
    name: config.name ?? '',
    switchesFilters: context.switchesFilters,
    virtualHostNames: hosts.map((host) => host.name),
    clusterNames: [...clusterNames],
    requestGroups: [...scope.requestGroups],
    internalOnlyHeaders: (config.internalOnlyHeaders ?? []).map(asciiLower),
    find: makeFinder({
      domains,
      only:
        domains.size === 0 && hosts.length === 1 && (config.virtualHosts?.[0]?.domains ?? []).every((d) => d === '*')
          ? hosts[0]
          : undefined,
      ignorePort: config.ignorePortInHostMatching === true,
      hostHeader:
        config.vhostHeader === undefined || config.vhostHeader === '' ? undefined : asciiLower(config.vhostHeader),
      place,
    }),
  };
}

/** What virtual hosts take from the configuration around them. */
interface Scope {
  readonly context: CompileContext;
  readonly clusterNames: Set<string>;
  readonly requestGroups: Set<string>;
  /** Choices of clusters that routes name. */
  readonly specifiers: ReadonlyMap<string, ClusterSpecifier>;
  readonly ignorePathParameters: boolean;
  readonly mostSpecificWins: boolean;
  readonly maxBody: number;
  readonly perFilter: PerFilter;
  readonly mirrors: readonly MirrorProgram[];
  readonly request: HeaderMutations;
  readonly response: HeaderMutations;
}

function compileVirtualHost(
  scope: Scope,
  host: types.route.VirtualHost,
  index: number,
  path: Path,
): CompiledVirtualHost {
  const { context } = scope;
  if (host.name === undefined || host.name === '') context.refuse([...path, 'name'], 'must not be empty');
  const own = compilePerFilter(context, host.typedPerFilterConfig, [...path, 'typedPerFilterConfig'], host.cors);
  const mirrors = compileMirrors(context, host.requestMirrorPolicies, [...path, 'requestMirrorPolicies']);
  const inherited: Inherited = {
    retry:
      host.retryPolicy === undefined ? undefined : compileRetry(context, host.retryPolicy, [...path, 'retryPolicy']),
    hedges: compileHedges(context, host.hedgePolicy, [...path, 'hedgePolicy']),
    mirrors: mirrors.length === 0 ? scope.mirrors : mirrors,
    bufferLimit: bufferLimit(host),
  };
  if ((host.virtualClusters ?? []).length > 0) {
    for (const { name = '' } of host.virtualClusters ?? [])
      scope.requestGroups.add(virtualClusterGroup(host.name ?? '', name));
    scope.requestGroups.add(virtualClusterGroup(host.name ?? '', ''));
  }
  const base: VirtualHostProgram = {
    name: host.name ?? '',
    perFilter: mergePerFilter(scope.perFilter, own),
    rateLimits: compileRateLimits(context, host.rateLimits, [...path, 'rateLimits']),
    metadata: host.metadata?.filterMetadata,
    virtualCluster: compileVirtualClusters(context, host.virtualClusters, [...path, 'virtualClusters']),
    includeRequestAttemptCount: host.includeRequestAttemptCount === true,
    includeAttemptCountInResponse: host.includeAttemptCountInResponse === true,
    includeIsTimeoutRetry: host.includeIsTimeoutRetryHeader === true,
  };
  // From the most specific outwards, after the route's own.
  const request = [
    compileMutations(context, host.requestHeadersToAdd, host.requestHeadersToRemove, path, 'request'),
    scope.request,
  ];
  const response = [
    compileMutations(context, host.responseHeadersToAdd, host.responseHeadersToRemove, path, 'response'),
    scope.response,
  ];
  const compiledRoutes: CompiledRoute[] = [];
  const compiled: CompiledVirtualHost = {
    ...base,
    index,
    domains: host.domains ?? [],
    routes: compiledRoutes,
    choose: undefined,
    requireTls: host.requireTls ?? 'NONE',
    tlsRoute: tlsRoute(base),
  };
  for (const [i, route] of (host.routes ?? []).entries()) {
    compiledRoutes.push(
      compileRoute(scope, compiled, route, i, inherited, { request, response }, [...path, 'routes', i]),
    );
  }
  if (host.matcher === undefined) return compiled;
  if (compiledRoutes.length > 0) context.refuse([...path, 'matcher'], 'cannot be set beside `routes`');
  const choose = compileRouteMatcher(
    context,
    host.matcher,
    (route, at) => compileRoute(scope, compiled, route, compiledRoutes.length, inherited, { request, response }, at),
    [...path, 'matcher'],
  );
  return Object.assign(compiled, { choose });
}

/** The newer field wins. */
function bufferLimit(of: types.route.VirtualHost | types.route.Route): number | undefined {
  const limit = of.requestBodyBufferLimit ?? of.perRequestBufferLimitBytes;
  return limit === undefined ? undefined : Number(limit);
}

/** Filters are told nothing about it, by the virtual host neither. */
function tlsRoute(virtualHost: VirtualHostProgram): CompiledRoute {
  return {
    name: '',
    metadata: undefined,
    virtualHost,
    index: -1,
    perFilter: NO_FILTERS,
    action: undefined,
    conditions: [],
    does: { kind: 'direct', status: 301, body: '' },
    rewriteRequest: () => undefined,
    rewriteResponse: () => undefined,
  };
}

function compileRoute(
  scope: Scope,
  virtualHost: CompiledVirtualHost,
  given: types.route.Route,
  index: number,
  inherited: Inherited,
  outer: { readonly request: readonly HeaderMutations[]; readonly response: readonly HeaderMutations[] },
  path: Path,
): CompiledRoute {
  const { context } = scope;
  const route = isForwarded(given) ? given : { ...given, route: {} };
  const match = compileMatch(context, route.match ?? {}, [...path, 'match'], {
    ignorePathParameters: scope.ignorePathParameters,
  });
  const perFilter = mergePerFilter(
    virtualHost.perFilter,
    compilePerFilter(context, route.typedPerFilterConfig, [...path, 'typedPerFilterConfig'], route.route?.cors),
  );
  const request = [
    compileMutations(context, route.requestHeadersToAdd, route.requestHeadersToRemove, path, 'request'),
    ...outer.request,
  ];
  const response = [
    compileMutations(context, route.responseHeadersToAdd, route.responseHeadersToRemove, path, 'response'),
    ...outer.response,
  ];
  const used = (all: HeaderMutations[]): HeaderMutations[] => all.filter((mutations) => !isEmpty(mutations));
  const actionPath = [...path, 'route'];
  const action: RouteActionProgram | undefined =
    route.route === undefined
      ? undefined
      : compileAction(
          context,
          route.route,
          { ...inherited, bufferLimit: bufferLimit(route) ?? inherited.bufferLimit },
          actionPath,
        );
  const does = compileEffect(scope, route, perFilter, match.path, path);
  if (does.kind === 'cluster') {
    for (const name of does.choice.names) scope.clusterNames.add(name);
    for (const { cluster } of action?.mirrors ?? []) if (cluster !== '') scope.clusterNames.add(cluster);
  }
  const { statPrefix = '' } = route;
  if (statPrefix !== '') scope.requestGroups.add(routeGroup(virtualHost.name, statPrefix));
  return {
    name: route.name ?? '',
    ...(statPrefix === '' ? {} : { statPrefix }),
    metadata: route.metadata?.filterMetadata,
    virtualHost,
    index,
    perFilter,
    action,
    ...(route.tracing === undefined
      ? {}
      : { tracing: compileRouteTracing(context, route.tracing, [...path, 'tracing']) }),
    ...(route.decorator === undefined
      ? {}
      : { decorator: compileDecorator(context, route.decorator, [...path, 'decorator']) }),
    conditions: match.conditions,
    does,
    rewriteRequest: requestRewriter({
      mutations: used(request),
      mostSpecificWins: scope.mostSpecificWins,
      host: route.route === undefined ? undefined : compileHostRewrite(context, route.route, actionPath),
      path: route.route === undefined ? undefined : compilePathRewrite(context, route.route, match.path, actionPath),
      appendForwardedHost: action?.appendXForwardedHost === true,
    }),
    trimResponse: responseTrimmer(used(response)),
    rewriteResponse: responseRewriter(used(response), scope.mostSpecificWins),
  };
}

function isForwarded({ nonForwardingAction, filterAction }: types.route.Route): boolean {
  return nonForwardingAction === undefined && filterAction === undefined;
}

function compileEffect(
  scope: Scope,
  route: types.route.Route,
  perFilter: PerFilter,
  match: Parameters<typeof compileRedirect>[2],
  path: Path,
): RouteEffect {
  const { context } = scope;
  if (!isForwarded(route)) return { kind: 'cluster', choice: nowhere };
  if (route.route !== undefined) {
    const choice = compileClusterChoice(
      context,
      route.route,
      (config, at) =>
        mergePerFilter(
          perFilter,
          compilePerFilter(context, config.typedPerFilterConfig, [...at, 'typedPerFilterConfig']),
        ),
      scope.specifiers,
      [...path, 'route'],
    );
    return { kind: 'cluster', choice };
  }
  if (route.redirect !== undefined)
    return { kind: 'redirect', redirect: compileRedirect(context, route.redirect, match, [...path, 'redirect']) };
  if (route.directResponse !== undefined) {
    const { status = 0, body, bodyFormat } = route.directResponse;
    const at = [...path, 'directResponse'];
    if (status < 200 || status > 599) context.refuse([...at, 'status'], 'must be from 200 to 599');
    const bytes = body === undefined ? undefined : dataSource(context, body, [...at, 'body']);
    if (bytes !== undefined && bytes.length > scope.maxBody) {
      context.refuse(
        [...at, 'body'],
        `has ${bytes.length} bytes, more than the ${scope.maxBody} of \`maxDirectResponseBodySizeBytes\``,
      );
    }
    const format = compileBodyFormat(context, bodyFormat, [...at, 'bodyFormat']);
    return { kind: 'direct', status, body: bytes?.toString('latin1') ?? '', format };
  }
  context.refuse(path, 'must say what to do: `route`, `redirect` or `directResponse`');
  return { kind: 'direct', status: 500, body: '' };
}
