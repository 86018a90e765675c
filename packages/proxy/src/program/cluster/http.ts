import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import { compileHeaderKeyFormat } from '../header-key-format.ts';
import { HTTP2_PORT } from '../fields/table.ts';
import { compileResponsePredicate } from '../match/response-predicate.ts';
import { compileMirrors } from '../route/action.ts';
import { compileHashPolicies } from '../route/hash.ts';
import { compileRetry } from '../route/retry.ts';
import type { ClusterPolicies } from '../../types.ts';
import type { Path } from '../path.ts';
import type { UpstreamHttpProgram } from '../types.ts';
import { milliseconds, wholeMilliseconds } from '../values.ts';

const TCP_OPTIONS = 'envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions';
export const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/**
 * HTTP settings come in `typedExtensionProtocolOptions`, or in the older fields of the cluster itself. `byName`: its hosts are
 * those that requests name, and so are the names of their certificates where nothing else is said.
 */
export function compileUpstreamHttp(
  context: CompileContext,
  cluster: types.cluster.Cluster,
  byName: boolean = false,
): UpstreamHttpProgram {
  for (const key of Object.keys(cluster.typedExtensionProtocolOptions ?? {})) {
    if (key !== HTTP_OPTIONS && key !== TCP_OPTIONS)
      context.refuse(['typedExtensionProtocolOptions', key], 'not supported');
  }
  const typed = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS] as
    | types.httpProtocolOptions.HttpProtocolOptions
    | undefined;
  const common = typed?.commonHttpProtocolOptions ?? cluster.commonHttpProtocolOptions;
  const upstream =
    typed?.upstreamHttpProtocolOptions ??
    cluster.upstreamHttpProtocolOptions ??
    (byName && typed === undefined ? { autoSni: true, autoSanValidation: true } : undefined);
  const http1 =
    typed?.explicitHttpConfig?.httpProtocolOptions ??
    typed?.useDownstreamProtocolConfig?.httpProtocolOptions ??
    typed?.autoConfig?.httpProtocolOptions ??
    cluster.httpProtocolOptions;
  const followsDownstream =
    typed?.useDownstreamProtocolConfig !== undefined ||
    (typed === undefined && cluster.protocolSelection === 'USE_DOWNSTREAM_PROTOCOL');
  const deprecated = typed === undefined && cluster.http2ProtocolOptions !== undefined && !followsDownstream;
  const http2Only = deprecated || typed?.explicitHttpConfig?.http2ProtocolOptions !== undefined;
  if (http2Only && context.deps.speaksHttp2?.(cluster.name ?? '') !== true) {
    const at = deprecated ? [] : ['typedExtensionProtocolOptions', HTTP_OPTIONS, 'explicitHttpConfig'];
    context.refuse([...at, 'http2ProtocolOptions'], HTTP2_PORT);
  }
  if (cluster.maxRequestsPerConnection !== undefined && common?.maxRequestsPerConnection !== undefined)
    context.refuse(['maxRequestsPerConnection'], 'is said in `commonHttpProtocolOptions`, too');
  const names = compileHeaderKeyFormat(context, http1?.headerKeyFormat, ['httpProtocolOptions', 'headerKeyFormat']);
  return {
    http2Only,
    followsDownstream,
    idleTimeout: milliseconds(common?.idleTimeout, 3_600_000),
    maxConnectionDuration: milliseconds(common?.maxConnectionDuration, 0),
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? cluster.maxRequestsPerConnection ?? 0,
    maxResponseHeadersBytes: (common?.maxResponseHeadersKb ?? 60) * 1024,
    maxHeadersCount: common?.maxHeadersCount ?? 100,
    maxStreamDuration: wholeMilliseconds(common?.maxStreamDuration, 0),
    headerKeyFormat: names.format,
    policies:
      typed === undefined
        ? undefined
        : compilePolicies(context, typed, ['typedExtensionProtocolOptions', HTTP_OPTIONS]),
    isError: compileErrors(context, typed?.outlierDetection, [
      'typedExtensionProtocolOptions',
      HTTP_OPTIONS,
      'outlierDetection',
    ]),
    properOthers: names.properOthers,
    keepsReason: names.keepsReason,
    fullUrl: http1?.sendFullyQualifiedUrl === true,
    enableTrailers: http1?.enableTrailers === true,
    allowChunkedLength: http1?.allowChunkedLength === true,
    autoSni: upstream?.autoSni === true,
    autoSanValidation: upstream?.autoSanValidation === true,
    autoSniHeader: (upstream?.overrideAutoSniHeader ?? '').toLowerCase(),
  };
}

function compileErrors(
  context: CompileContext,
  detection: types.httpProtocolOptions.HttpProtocolOptions_OutlierDetection | undefined,
  path: Path,
): UpstreamHttpProgram['isError'] {
  if (detection === undefined) return undefined;
  const at = [...path, 'errorMatcher'];
  if (detection.errorMatcher === undefined) context.refuse(at, 'must be there');
  return compileResponsePredicate(context, detection.errorMatcher ?? { anyMatch: true }, at);
}

function compilePolicies(
  context: CompileContext,
  { retryPolicy, requestMirrorPolicies = [], hashPolicy = [] }: types.httpProtocolOptions.HttpProtocolOptions,
  path: Path,
): ClusterPolicies | undefined {
  if (retryPolicy === undefined && requestMirrorPolicies.length === 0 && hashPolicy.length === 0) return undefined;
  return {
    ...(retryPolicy === undefined ? {} : { retry: compileRetry(context, retryPolicy, [...path, 'retryPolicy']) }),
    ...(requestMirrorPolicies.length === 0
      ? {}
      : { mirrors: compileMirrors(context, requestMirrorPolicies, [...path, 'requestMirrorPolicies']) }),
    ...(hashPolicy.length === 0 ? {} : { hashKey: compileHashPolicies(context, hashPolicy, [...path, 'hashPolicy']) }),
  };
}

/** Hosts are asked which protocol they speak, in their TLS handshakes. */
export function isAutomatic(cluster: types.cluster.Cluster): boolean {
  const typed = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS] as
    | types.httpProtocolOptions.HttpProtocolOptions
    | undefined;
  return typed?.autoConfig !== undefined;
}

/** The configuration allows HTTP/2 to the hosts, whether or not requests are carried over it. */
export function mayUseHttp2(cluster: types.cluster.Cluster): boolean {
  const typed = cluster.typedExtensionProtocolOptions?.[HTTP_OPTIONS] as
    | types.httpProtocolOptions.HttpProtocolOptions
    | undefined;
  if (typed === undefined) return cluster.http2ProtocolOptions !== undefined;
  return (
    typed.explicitHttpConfig?.http2ProtocolOptions !== undefined ||
    typed.useDownstreamProtocolConfig?.http2ProtocolOptions !== undefined ||
    typed.autoConfig !== undefined
  );
}
