import type { types } from '@mizzen/xds';
import { compileHttpFilter, ROUTER } from '../../filter/registry.ts';
import { compileAccessLogs } from '../../telemetry/access-log.ts';
import { missingFilter } from '../../filter/missing.ts';
import type { HttpFilter } from '../../types.ts';
import { compileClientCert, compileClientCertMatcher } from './client-cert.ts';
import { filterConfig } from './discovery.ts';
import { compileIpDetection } from './ip-detection.ts';
import { compileEarlyMutations } from './early-mutations.ts';
import { compileScopedRoutes } from './scoped-routes.ts';
import { compileString } from '../match/string.ts';
import type { ProxyStatusProgram, SingleRouteSource } from '../types.ts';
import { routerRuntime } from '../../runtime/router.ts';
import type { CompileContext } from '../context.ts';
import { compileHeaderKeyFormat } from '../header-key-format.ts';
import { compileCidrs } from '../match/cidr.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import { compileRoutes } from '../route/compile.ts';
import { refuseUnknownClusters } from '../route/unknown-clusters.ts';
import type { HcmProgram, RouterProgram } from '../types.ts';
import { compileTracing } from '../../tracing/compile.ts';
import { asciiLower, milliseconds, wire } from '../values.ts';
import { refuseOlderLogOptions } from './log-options.ts';
import { compileLocalReply } from './local-reply.ts';

export function compileHcm(context: CompileContext, hcm: types.hcm.HttpConnectionManager, path: Path): HcmProgram {
  refuseOlderLogOptions(context, { ...hcm }, ['accessLogFlushInterval', 'flushAccessLogOnNewRequest'], path);
  const { statPrefix = '', commonHttpProtocolOptions: common, httpProtocolOptions: http1 } = hcm;
  if (statPrefix === '') context.refuse([...path, 'statPrefix'], 'must not be empty');
  if (common?.maxResponseHeadersKb !== undefined)
    context.refuse([...path, 'commonHttpProtocolOptions', 'maxResponseHeadersKb'], 'is for clusters');
  const { filters, router } = compileFilters(context, hcm.httpFilters, statPrefix, [...path, 'httpFilters']);
  const xff = compileIpDetection(context, hcm, path);
  const upgrades = new Map<string, { enabled: boolean; filters: readonly HttpFilter[] | undefined }>();
  (hcm.upgradeConfigs ?? []).forEach((upgrade, i) => {
    const type = (upgrade.upgradeType ?? '').toLowerCase();
    if (upgrades.has(type))
      context.refuse([...path, 'upgradeConfigs', i, 'upgradeType'], `\`${upgrade.upgradeType}\` is there twice`);
    const at = [...path, 'upgradeConfigs', i, 'filters'];
    const own =
      upgrade.filters === undefined || upgrade.filters.length === 0
        ? undefined
        : compileFilters(context, upgrade.filters, statPrefix, at);
    if (own !== undefined && JSON.stringify(own.router) !== JSON.stringify(router))
      context.refuse([...at, upgrade.filters!.length - 1], 'the router must be configured like that of `httpFilters`');
    upgrades.set(type, { enabled: upgrade.enabled ?? true, filters: own?.filters });
  });
  const requestIds = compileRequestIds(context, hcm, path);
  const names = compileHeaderKeyFormat(context, http1?.headerKeyFormat, [
    ...path,
    'httpProtocolOptions',
    'headerKeyFormat',
  ]);
  const scheme = hcm.schemeHeaderTransformation;
  return {
    statPrefix,
    routes: compileRouteSource(context, hcm, path),
    filters,
    router,
    codecType: hcm.codecType === 'HTTP1' ? 'HTTP1' : 'AUTO',

    maxRequestHeadersBytes: (hcm.maxRequestHeadersKb ?? 60) * 1024,
    maxHeadersCount: common?.maxHeadersCount ?? 100,
    headersWithUnderscores: common?.headersWithUnderscoresAction ?? 'ALLOW',
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? 0,

    idleTimeout: milliseconds(common?.idleTimeout, 3_600_000),
    maxConnectionDuration: milliseconds(common?.maxConnectionDuration, 0),
    safeMaxConnectionDuration: hcm.http1SafeMaxConnectionDuration === true,
    maxConnectionJitter: (common?.maxConnectionDurationJitter?.value ?? 0) / 100,
    maxStreamDuration: milliseconds(common?.maxStreamDuration, 0),
    streamIdleTimeout: milliseconds(hcm.streamIdleTimeout, 300_000),
    requestTimeout: milliseconds(hcm.requestTimeout, 0),
    requestHeadersTimeout: milliseconds(hcm.requestHeadersTimeout, 0),
    drainTimeout: milliseconds(hcm.drainTimeout, 5000),
    delayedCloseTimeout: milliseconds(hcm.delayedCloseTimeout, 1000),

    allowAbsoluteUrl: http1?.allowAbsoluteUrl ?? true,
    acceptHttp10: http1?.acceptHttp10 === true,
    allowCustomMethods: http1?.allowCustomMethods === true,
    defaultHostForHttp10: wire(http1?.defaultHostForHttp10 ?? ''),
    enableTrailers: http1?.enableTrailers === true,
    allowChunkedLength: http1?.allowChunkedLength === true,
    headerKeyFormat: names.format,
    properOthers: names.properOthers,
    ignoresUpgrades: compileIgnoredUpgrades(context, http1?.ignoreHttp11Upgrade, [
      ...path,
      'httpProtocolOptions',
      'ignoreHttp11Upgrade',
    ]),
    streamErrorOnInvalidMessage:
      (http1?.overrideStreamErrorOnInvalidHttpMessage ?? hcm.streamErrorOnInvalidHttpMessage) === true,

    proxyStatus: compileProxyStatus(context, hcm),
    earlyMutations: compileEarlyMutations(context, hcm.earlyHeaderMutationExtensions, [
      ...path,
      'earlyHeaderMutationExtensions',
    ]),
    serverName: hcm.serverName === undefined || hcm.serverName === '' ? 'envoy' : wire(hcm.serverName),
    serverHeaderTransformation: hcm.serverHeaderTransformation ?? 'OVERWRITE',
    schemeOverwrite: scheme?.schemeToOverwrite,
    schemeMatchUpstream: scheme?.matchUpstream === true && scheme.schemeToOverwrite === undefined,
    via: wire(hcm.via ?? ''),
    userAgent:
      hcm.addUserAgent === true
        ? { cluster: wire(context.deps.serviceCluster ?? ''), node: wire(context.deps.nodeId ?? '') }
        : undefined,

    useRemoteAddress: hcm.useRemoteAddress === true,
    ipHeaders: xff.headers.length === 0 ? undefined : xff.headers,
    asksXff: xff.asked,
    xffNumTrustedHops: xff.hops,
    xffIsTrusted: xff.isTrusted,
    skipXffAppend: xff.skipAppend,
    protoOfPort: protoOfPort(hcm.forwardProtoConfig),
    drainJitter: (hcm.drainTimeoutJitter?.value ?? 0) / 100,
    appendsUntrusted: xff.appends === true,
    appendXForwardedPort: hcm.appendXForwardedPort === true,
    namesClients: hcm.addProxyProtocolConnectionState !== false,
    isInternalAddress: internalAddresses(context, hcm, [...path, 'internalAddressConfig']),
    representIpv4AsMapped: hcm.representIpv4RemoteAddressAsIpv4MappedIpv6 === true,

    generateRequestId: hcm.generateRequestId ?? true,
    preserveExternalRequestId: hcm.preserveExternalRequestId === true,
    alwaysSetRequestIdInResponse: hcm.alwaysSetRequestIdInResponse === true,
    packTraceReason: requestIds.packs,
    tracing: compileTracing(context, hcm, path, requestIds),

    clientCert: compileClientCert(hcm),
    chooseClientCert: compileClientCertMatcher(context, hcm.forwardClientCertMatcher, [
      ...path,
      'forwardClientCertMatcher',
    ]),

    proxy100Continue: hcm.proxy100Continue === true,
    upgrades,

    normalizePath: hcm.normalizePath === true,
    mergeSlashes: hcm.mergeSlashes === true,
    escapedSlashes:
      hcm.pathWithEscapedSlashesAction === undefined ||
      hcm.pathWithEscapedSlashesAction === 'IMPLEMENTATION_SPECIFIC_DEFAULT'
        ? 'KEEP_UNCHANGED'
        : hcm.pathWithEscapedSlashesAction,
    stripPort: stripPort(context, hcm, path),
    stripTrailingHostDot: hcm.stripTrailingHostDot === true,

    localReply: compileLocalReply(context, hcm.localReplyConfig, [...path, 'localReplyConfig']),
    accessLogs: compileAccessLogs(context, hcm.accessLog, [...path, 'accessLog']),
    accessLogFlushInterval: milliseconds(hcm.accessLogOptions?.accessLogFlushInterval ?? hcm.accessLogFlushInterval, 0),
    logsTunnels: hcm.accessLogOptions?.flushLogOnTunnelSuccessfullyEstablished === true,
    flushAccessLogOnNewRequest:
      (hcm.accessLogOptions?.flushAccessLogOnNewRequest ?? hcm.flushAccessLogOnNewRequest) === true,
  };
}

function compileRouteSource(
  context: CompileContext,
  hcm: types.hcm.HttpConnectionManager,
  path: Path,
): HcmProgram['routes'] {
  if (hcm.routeConfig !== undefined) {
    return inlineRoutes(context, hcm.routeConfig, [...path, 'routeConfig']);
  }
  if (hcm.scopedRoutes !== undefined) {
    const { rdsConfigSource } = hcm.scopedRoutes;
    const at = [...path, 'scopedRoutes'];
    return compileScopedRoutes(
      context,
      hcm.scopedRoutes,
      ({ routeConfiguration, routeConfigurationName = '' }, inside) => {
        if (routeConfiguration !== undefined)
          return inlineRoutes(context, routeConfiguration, [...inside, 'routeConfiguration']);
        return namedRoutes(context, routeConfigurationName, rdsConfigSource, inside, [...at, 'rdsConfigSource']);
      },
      at,
    );
  }
  if (hcm.rds !== undefined && hcm.rds.configSource === undefined)
    context.refuse([...path, 'rds', 'configSource'], 'must be there');
  return namedRoutes(context, hcm.rds?.routeConfigName ?? '', hcm.rds?.configSource, path, [
    ...path,
    'rds',
    'configSource',
  ]);
}

function inlineRoutes(
  context: CompileContext,
  config: types.route.RouteConfiguration,
  path: Path,
): Extract<SingleRouteSource, { readonly kind: 'inline' }> {
  refuseUnknownClusters(context, config, path);
  const place = { type: 'listener', resource: context.resource, path } as const;
  return { kind: 'inline', config: compileRoutes(context, config, path, place) };
}

function namedRoutes(
  context: CompileContext,
  name: string,
  source: types.core.ConfigSource | undefined,
  path: Path,
  sourcePath: Path,
): SingleRouteSource {
  if (name === '') context.refuse(path, 'must have a route configuration, or the name of one');
  context.refer('route', name, source, sourcePath);
  return { kind: 'rds', name };
}

/** The router must be last and the only one; everything else runs before it. */
function compileFilters(
  context: CompileContext,
  given: readonly types.hcm.HttpFilter[] | undefined,
  statPrefix: string,
  path: Path,
): { readonly filters: readonly HttpFilter[]; readonly router: RouterProgram } {
  const filters: HttpFilter[] = [];
  const all = given ?? [];
  let router: Router = {};
  let routerPath: Path | undefined;
  /** Some filter's configuration has not come. */
  let missing = false;
  all.forEach((filter, i) => {
    const at = [...path, i];
    if (filter.name === undefined || filter.name === '') context.refuse([...at, 'name'], 'must not be empty');
    const { config, path: inside, discovered } = filterConfig(context, 'http_filter', filter, at);
    if (config === undefined && discovered) {
      missing = true;
      return;
    }
    if (config === undefined) {
      context.refuse([...at, 'typedConfig'], 'must be there');
      return;
    }
    if (messageOf(config['@type']) === ROUTER) {
      if (filter.disabled === true) context.refuse([...at, 'disabled'], 'the router cannot be switched off');
      if (i !== all.length - 1) context.refuse(at, 'the router must be the last filter');
      router = config as Router;
      routerPath = inside;
      return;
    }
    const compiled = context.once(at, config, () =>
      compileHttpFilter(
        context,
        config,
        {
          name: filter.name ?? '',
          counter: (name) => context.deps.counter(`http.${statPrefix}.${name}`),
          place: { resource: context.resource, path: inside },
        },
        inside,
      ),
    );
    if (compiled !== undefined) filters.push(filter.disabled === true ? { ...compiled, disabled: true } : compiled);
  });
  if (routerPath === undefined && (!missing || all.at(-1)?.configDiscovery === undefined))
    context.refuse(path, 'must end with the router');
  if (missing) filters.push(missingFilter);
  return {
    filters,
    router: {
      suppressEnvoyHeaders: router.suppressEnvoyHeaders === true,
      dynamicStats: router.dynamicStats ?? true,
      suppressGrpcRequestFailureCodeStats: router.suppressGrpcRequestFailureCodeStats === true,
      respectExpectedRqTimeout: router.respectExpectedRqTimeout === true,
      strictCheckHeaders: (router.strictCheckHeaders ?? []).map(asciiLower),
      startChildSpan: router.startChildSpan === true,
      upstreamLogs: compileAccessLogs(context, router.upstreamLog, [...(routerPath ?? path), 'upstreamLog']),
      logsUpstreamStart: router.upstreamLogOptions?.flushUpstreamLogOnUpstreamStream === true,
      upstreamLogInterval: milliseconds(router.upstreamLogOptions?.upstreamLogFlushInterval, 0),
      runtime: routerRuntime(context.deps.runtime),
    },
  };
}
interface Router {
  readonly upstreamLog?: readonly types.accesslog.AccessLog[];
  readonly upstreamLogOptions?: types.router.Router_UpstreamAccessLogOptions;
  readonly suppressEnvoyHeaders?: boolean;
  readonly startChildSpan?: boolean;
  readonly dynamicStats?: boolean;
  readonly suppressGrpcRequestFailureCodeStats?: boolean;
  readonly respectExpectedRqTimeout?: boolean;
  readonly strictCheckHeaders?: readonly string[];
}

/** No address counts as internal that is not named, as in Envoy from 1.33 on. */
function internalAddresses(
  context: CompileContext,
  hcm: types.hcm.HttpConnectionManager,
  path: Path,
): (address: string) => boolean {
  const config = hcm.internalAddressConfig;
  const ranges =
    config?.cidrRanges === undefined ? [] : compileCidrs(context, config.cidrRanges, [...path, 'cidrRanges']);
  const unixSockets = config?.unixSockets === true;
  // The other end of a unix socket has no address.
  return (address) => (address === '' ? unixSockets : ranges.some((range) => range.contains(address)));
}

/** What request ids say of traces. */
function compileRequestIds(
  context: CompileContext,
  hcm: types.hcm.HttpConnectionManager,
  path: Path,
): { readonly packs: boolean; readonly samples: boolean } {
  const config = hcm.requestIdExtension?.typedConfig;
  if (config === undefined) return { packs: true, samples: true };
  const type = messageOf(config['@type']);
  if (type === 'envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig')
    return { packs: config['packTraceReason'] !== false, samples: config['useRequestIdForTraceSampling'] !== false };
  context.refuse([...path, 'requestIdExtension', 'typedConfig'], `\`${type}\` is not supported`);
  return { packs: true, samples: true };
}

function stripPort(context: CompileContext, hcm: types.hcm.HttpConnectionManager, path: Path): HcmProgram['stripPort'] {
  if (hcm.stripAnyHostPort === true && hcm.stripMatchingHostPort === true) {
    context.refuse([...path, 'stripAnyHostPort'], 'does not go with `stripMatchingHostPort`');
  }
  return hcm.stripAnyHostPort === true ? 'any' : hcm.stripMatchingHostPort === true ? 'matching' : 'none';
}

function compileProxyStatus(
  context: CompileContext,
  { proxyStatusConfig: config, serverName }: types.hcm.HttpConnectionManager,
): ProxyStatusProgram | undefined {
  if (config === undefined) return undefined;
  const usual = serverName === undefined || serverName === '' ? 'envoy' : serverName;
  const name = config.useNodeId === true ? (context.deps.nodeId ?? '') : (config.literalProxyName ?? usual);
  return {
    name: wire(name),
    details: config.removeDetails !== true,
    termination: config.removeConnectionTerminationDetails !== true,
    flags: config.removeResponseFlags !== true,
    recommended: config.setRecommendedResponseCode === true,
  };
}

/** Says of what an `upgrade` field asks for whether it is passed over. */
function compileIgnoredUpgrades(
  context: CompileContext,
  given: readonly types.matcher.StringMatcher[] | undefined,
  path: Path,
): HcmProgram['ignoresUpgrades'] {
  if (given === undefined || given.length === 0) return undefined;
  const matchers = given.map((matcher, i) => compileString(context, matcher, [...path, i]));
  return (type) => matchers.some(({ matches }) => matches(type));
}

function protoOfPort(config: types.hcm.ForwardProtoConfig | undefined): ReadonlyMap<number, string> | undefined {
  if (config === undefined) return undefined;
  const map = new Map<number, string>();
  for (const port of config.httpDestinationPorts ?? []) map.set(port, 'http');
  for (const port of config.httpsDestinationPorts ?? []) map.set(port, 'https');
  return map;
}
