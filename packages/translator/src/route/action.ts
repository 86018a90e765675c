import type { networking } from '@mizzen/api';
import { PREFIX_MARK, type MergedDestinationRule, type Service } from '@mizzen/model';
import type { Route, types } from '@mizzen/xds';
import type { Draft } from '../draft.ts';
import { duration } from '../duration.ts';
import { outboundCluster } from '../names.ts';
import { fraction, wholeFraction } from './filters.ts';
import { type HeaderOperations, authorityOf, headerOperations } from './headers.ts';
import { retryPolicy } from './retry.ts';

/** What a route's destinations are resolved against. */
export interface RouteScope {
  /** Port of the listener the route is for: destinations of several ports use the same. */
  readonly port: number;
  readonly tls: boolean;
  readonly defaultRetries: networking.HTTPRetry | undefined;
  /** Whether a host that is rewritten is passed on as `x-forwarded-host`. */
  readonly forwardsHost: boolean;
  service(hostname: string): Service | undefined;
  destinationRule(hostname: string): MergedDestinationRule | undefined;
}

/** The cluster of a destination: its port, else a service's only port, else the port the request came in on. */
export function destinationCluster(to: networking.Destination | undefined, scope: RouteScope): string {
  const host = to?.host ?? '';
  if (host === '') return 'UnknownService';
  const service = scope.service(host);
  const only = service?.ports.length === 1 ? service.ports[0]?.port : undefined;
  return outboundCluster(to?.port?.number ?? only ?? scope.port, to?.subset ?? '', service?.externalName ?? host);
}

/**
 * Forwards to one destination or to several by weight. Header operations of an only destination are the route's.
 * `gatewayMatch`: the match of a route made from an HTTPRoute, whose missing backends are the server's fault (500) and
 * whose prefixes can be taken away.
 */
export function forward(
  http: networking.HTTPRoute,
  scope: RouteScope,
  gatewayMatch?: types.route.RouteMatch,
): { readonly action: types.route.RouteAction; readonly operations: HeaderOperations } {
  const action: Draft<types.route.RouteAction> = {};
  let operations: HeaderOperations = {};
  const { rewrite } = http;
  if (rewrite?.uriRegexRewrite !== undefined) {
    const { match, rewrite: substitution } = rewrite.uriRegexRewrite;
    action.regexRewrite = { pattern: { regex: match }, substitution };
  } else if (rewrite?.uri === '/' && gatewayMatch !== undefined) action.regexRewrite = withoutPrefix(gatewayMatch);
  else if (rewrite?.uri !== undefined && rewrite.uri !== '') action.prefixRewrite = rewrite.uri;
  if (gatewayMatch !== undefined) action.clusterNotFoundResponseCode = 'INTERNAL_SERVER_ERROR';
  let authority = rewrite?.authority === '' ? undefined : rewrite?.authority;
  authority ??= authorityOf(http.headers);

  const destinations = http.route ?? [];
  const hashes: types.route.RouteAction_HashPolicy[] = [];
  const noteHash = (to: networking.HTTPRouteDestination): boolean => {
    const policy = hashPolicy(consistentHash(to.destination, scope));
    if (policy !== undefined) hashes.push(policy);
    return policy !== undefined;
  };
  let hashed = false;
  const [only] = destinations;
  if (destinations.length === 1 && only !== undefined) {
    action.cluster = destinationCluster(only.destination, scope);
    operations = headerOperations(only.headers);
    authority ??= authorityOf(only.headers);
    hashed = noteHash(only);
  } else {
    const clusters = destinations
      .filter((to) => (to.weight ?? 0) > 0)
      .map((to) => {
        noteHash(to);
        const host = authorityOf(to.headers);
        return {
          name: destinationCluster(to.destination, scope),
          weight: to.weight,
          ...headerOperations(to.headers),
          ...(host === undefined ? {} : { hostRewriteLiteral: host }),
        };
      });
    action.weightedClusters = { clusters };
  }
  if (authority !== undefined) action.hostRewriteLiteral = authority;
  if (hashes.length > 0) action.hashPolicy = hashes;
  const mirrors = mirrorPolicies(http, scope);
  if (mirrors.length > 0) action.requestMirrorPolicies = mirrors;
  const retries = retryPolicy(http.retries ?? scope.defaultRetries, { consistentHash: hashed });
  if (retries !== undefined) action.retryPolicy = retries;
  setTimeout(action, http.timeout);
  return { action, operations };
}

/** Takes the prefix away and keeps one `/`, also where nothing is left. */
function withoutPrefix({ pathSeparatedPrefix = '' }: types.route.RouteMatch): types.route.RouteAction['regexRewrite'] {
  const prefix = pathSeparatedPrefix.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
  return { pattern: { regex: `^${prefix}(/?)(.*)` }, substitution: String.raw`/\2` };
}

/** No timeout unless one is asked for, also where gRPC asks for one itself. */
export function setTimeout(action: Draft<types.route.RouteAction>, timeout: string | undefined): void {
  action.timeout = duration(timeout ?? '0s');
  action.maxGrpcTimeout = action.timeout;
}

function mirrorPolicies(http: networking.HTTPRoute, scope: RouteScope): types.route.RouteAction_RequestMirrorPolicy[] {
  const out: types.route.RouteAction_RequestMirrorPolicy[] = [];
  const add = (to: networking.Destination, share: types.envoyType.FractionalPercent | undefined): void => {
    if (share === undefined || share.numerator === undefined) return;
    out.push({
      cluster: destinationCluster(to, scope),
      runtimeFraction: { defaultValue: share },
      traceSampled: false,
      disableShadowHostSuffixAppend: true,
    });
  };
  if (http.mirror !== undefined) {
    const share =
      http.mirrorPercentage === undefined ? wholeFraction(http.mirrorPercent ?? 100) : fraction(http.mirrorPercentage);
    add(http.mirror, share);
  }
  for (const { destination, percentage } of http.mirrors ?? []) {
    if (destination !== undefined)
      add(destination, percentage === undefined ? wholeFraction(100) : fraction(percentage));
  }
  return out;
}

type ConsistentHash = networking.LoadBalancerSettings_ConsistentHashLB;

/** What requests to a destination are hashed by: its subset's port, its subset, the port, the whole rule. */
function consistentHash(to: networking.Destination | undefined, scope: RouteScope): ConsistentHash | undefined {
  const spec = scope.destinationRule(to?.host ?? '')?.spec;
  if (spec === undefined) return undefined;
  const ofPort = (policy: networking.TrafficPolicy | undefined): ConsistentHash | undefined =>
    to?.port?.number === undefined
      ? undefined
      : policy?.portLevelSettings?.find((entry) => entry.port?.number === to.port?.number)?.loadBalancer
          ?.consistentHash;
  const subset = spec.subsets?.find((entry) => entry.name === to?.subset)?.trafficPolicy;
  return (
    ofPort(subset) ??
    subset?.loadBalancer?.consistentHash ??
    ofPort(spec.trafficPolicy) ??
    spec.trafficPolicy?.loadBalancer?.consistentHash
  );
}

/** The same for a service without a VirtualService. */
export function serviceHash(hostname: string, port: number, scope: RouteScope): ConsistentHash | undefined {
  const policy = scope.destinationRule(hostname)?.spec.trafficPolicy;
  const own = policy?.portLevelSettings?.find((entry) => entry.port?.number === port)?.loadBalancer?.consistentHash;
  return own ?? policy?.loadBalancer?.consistentHash;
}

export function hashPolicy(hash: ConsistentHash | undefined): types.route.RouteAction_HashPolicy | undefined {
  if (hash?.httpHeaderName !== undefined) return { header: { headerName: hash.httpHeaderName } };
  if (hash?.httpCookie !== undefined) {
    const { name, path, ttl, attributes = [] } = hash.httpCookie;
    return {
      cookie: {
        name,
        ...(ttl === undefined ? {} : { ttl: duration(ttl) }),
        ...(path === undefined || path === '' ? {} : { path }),
        ...(attributes.length === 0 ? {} : { attributes }),
      },
    };
  }
  if (hash?.useSourceIp === true) return { connectionProperties: { sourceIp: true } };
  if (hash?.httpQueryParameterName !== undefined) return { queryParameter: { name: hash.httpQueryParameterName } };
  return undefined;
}

const REDIRECT_CODES: Readonly<Record<number, types.route.RedirectAction_RedirectResponseCode>> = {
  302: 'FOUND',
  303: 'SEE_OTHER',
  307: 'TEMPORARY_REDIRECT',
  308: 'PERMANENT_REDIRECT',
};

/** 301 is Envoy's default and not written. */
export function redirect(
  settings: networking.HTTPRedirect,
  scope: RouteScope,
  gatewayApi = false,
): types.route.RedirectAction {
  const { uri = '', prefixRewrite = '' } = settings;
  const out: Draft<types.route.RedirectAction> =
    gatewayApi && uri.startsWith(PREFIX_MARK)
      ? { prefixRewrite: uri.slice(PREFIX_MARK.length) }
      : prefixRewrite === ''
        ? { pathRedirect: uri }
        : { prefixRewrite };
  if (settings.authority !== undefined && settings.authority !== '') out.hostRedirect = settings.authority;
  if (settings.scheme !== undefined && settings.scheme !== '') out.schemeRedirect = settings.scheme;
  const scheme = out.schemeRedirect ?? (scope.tls ? 'https' : 'http');
  const port = settings.port ?? (settings.derivePort === 'FROM_REQUEST_PORT' ? scope.port : undefined);
  const usual = (port === 80 && scheme === 'http') || (port === 443 && scheme === 'https');
  if (port !== undefined && !usual) out.portRedirect = port;
  const code = REDIRECT_CODES[settings.redirectCode ?? 301];
  if (code !== undefined) out.responseCode = code;
  return out;
}

export function directResponse(settings: networking.HTTPDirectResponse): NonNullable<Route['directResponse']> {
  const { body, status } = settings;
  if (body?.bytes !== undefined) return { status, body: { inlineBytes: body.bytes } };
  return body?.string === undefined ? { status } : { status, body: { inlineString: body.string } };
}
