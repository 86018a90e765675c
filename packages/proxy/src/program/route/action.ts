import { compileRateLimits } from '../../filter/ratelimit/policies.ts';
import type { types } from '@mizzen/xds';
import type { MirrorProgram, RetryProgram, RouteActionProgram } from '../../types.ts';
import { liveFraction } from '../../runtime/live.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { mutationSteps } from '../../filter/header-mutation.ts';
import { asciiLower, wholeMilliseconds, wire } from '../values.ts';
import { refuseHttp2 } from './cluster.ts';
import { compileHashPolicies } from './hash.ts';
import { compileInternalRedirect, internalRedirectPolicy } from './internal-redirect.ts';
import { compileProxyProtocol } from '../transport.ts';
import { lbMetadata } from './lb-metadata.ts';
import { compileRetry } from './retry.ts';

const NOT_FOUND_STATUS = { SERVICE_UNAVAILABLE: 503, NOT_FOUND: 404, INTERNAL_SERVER_ERROR: 500 } as const;
const DEFAULT_TIMEOUT = 15_000;

/** What a route inherits from its virtual host. */
export interface Inherited {
  readonly retry: RetryProgram | undefined;
  readonly hedges: boolean;
  readonly mirrors: readonly MirrorProgram[];
  readonly bufferLimit: number | undefined;
}

export function compileAction(
  context: CompileContext,
  action: types.route.RouteAction,
  inherited: Inherited,
  path: Path,
): RouteActionProgram {
  const mirrors = compileMirrors(context, action.requestMirrorPolicies, [...path, 'requestMirrorPolicies']);
  const optional = (duration: string | undefined): number | undefined =>
    duration === undefined ? undefined : wholeMilliseconds(duration, 0);
  return {
    timeout: action.maxStreamDuration === undefined ? wholeMilliseconds(action.timeout, DEFAULT_TIMEOUT) : 0,
    idleTimeout: optional(action.idleTimeout),
    limitsStreams: action.maxStreamDuration !== undefined,
    maxStreamDuration: optional(action.maxStreamDuration?.maxStreamDuration),
    retry:
      action.retryPolicy === undefined
        ? inherited.retry
        : compileRetry(context, action.retryPolicy, [...path, 'retryPolicy']),
    hedges:
      action.hedgePolicy === undefined
        ? inherited.hedges
        : compileHedges(context, action.hedgePolicy, [...path, 'hedgePolicy']),
    internalRedirect: compileInternalRedirect(context, internalRedirectPolicy(action), [
      ...path,
      'internalRedirectPolicy',
    ]),
    mirrors: mirrors.length === 0 ? inherited.mirrors : mirrors,
    rateLimits: compileRateLimits(context, action.rateLimits, [...path, 'rateLimits']),
    includeVhRateLimits: action.includeVhRateLimits === true,
    hashKey: compileHashPolicies(context, action.hashPolicy, [...path, 'hashPolicy']),
    metadataMatch: lbMetadata(action.metadataMatch),
    upgrades: compileUpgrades(context, action.upgradeConfigs, [...path, 'upgradeConfigs']),
    maxGrpcTimeout: action.maxStreamDuration === undefined ? optional(action.maxGrpcTimeout) : undefined,
    grpcTimeoutOffset: wholeMilliseconds(action.grpcTimeoutOffset, 0),
    grpcTimeoutHeaderMax: optional(action.maxStreamDuration?.grpcTimeoutHeaderMax),
    grpcTimeoutHeaderOffset: wholeMilliseconds(action.maxStreamDuration?.grpcTimeoutHeaderOffset, 0),
    clusterNotFoundStatus: NOT_FOUND_STATUS[action.clusterNotFoundResponseCode ?? 'SERVICE_UNAVAILABLE'],
    bufferLimit: inherited.bufferLimit,
    priority: action.priority ?? 'DEFAULT',
    autoHostRewrite: action.autoHostRewrite === true,
    appendXForwardedHost: action.appendXForwardedHost === true,
  };
}

/** Whether attempts that take too long go on, with others beside them. */
export function compileHedges(
  context: CompileContext,
  policy: types.route.HedgePolicy | undefined,
  path: Path,
): boolean {
  if (policy?.initialRequests === 0) context.refuse([...path, 'initialRequests'], 'must be at least 1');
  return policy?.hedgeOnPerTryTimeout === true;
}

export function compileMirrors(
  context: CompileContext,
  policies: readonly types.route.RouteAction_RequestMirrorPolicy[] | undefined,
  path: Path,
): MirrorProgram[] {
  return (policies ?? []).map((policy, i) => {
    const { cluster = '', clusterHeader = '' } = policy;
    if ((cluster === '') === (clusterHeader === ''))
      context.refuse([...path, i, 'cluster'], 'must have exactly one of `cluster` and `clusterHeader`');
    refuseHttp2(context, cluster, [...path, i, 'cluster']);
    const sampled = liveFraction(context.deps.runtime, policy.runtimeFraction, 1);
    return {
      cluster,
      ...(clusterHeader === '' ? {} : { clusterHeader: asciiLower(clusterHeader) }),
      get fraction() {
        return sampled.value;
      },
      host: wire(policy.hostRewriteLiteral ?? ''),
      mutations: mutationSteps(context, 'request', policy.requestHeadersMutations, [
        ...path,
        i,
        'requestHeadersMutations',
      ]),
      disableShadowHostSuffix: policy.disableShadowHostSuffixAppend === true,
      ...(policy.traceSampled === undefined ? {} : { traceSampled: policy.traceSampled }),
    };
  });
}

type UpgradeProgram = RouteActionProgram['upgrades'] extends ReadonlyMap<string, infer T> ? T : never;

function compileUpgrades(
  context: CompileContext,
  configs: readonly types.route.RouteAction_UpgradeConfig[] | undefined,
  path: Path,
): RouteActionProgram['upgrades'] {
  const upgrades = new Map<string, UpgradeProgram>();
  (configs ?? []).forEach((config, i) => {
    const type = (config.upgradeType ?? '').toLowerCase();
    if (upgrades.has(type)) context.refuse([...path, i, 'upgradeType'], `\`${config.upgradeType}\` is there twice`);
    if (config.connectConfig !== undefined && type !== 'connect') {
      context.refuse([...path, i, 'connectConfig'], 'only goes with the upgrade type CONNECT');
    }
    const { connectConfig } = config;
    upgrades.set(type, {
      enabled: config.enabled ?? true,
      terminateConnect: connectConfig !== undefined,
      allowPost: connectConfig?.allowPost === true,
      proxyProtocol:
        connectConfig?.proxyProtocolConfig === undefined
          ? undefined
          : compileProxyProtocol(context, connectConfig.proxyProtocolConfig, [
              ...path,
              i,
              'connectConfig',
              'proxyProtocolConfig',
            ]),
    });
  });
  return upgrades;
}
