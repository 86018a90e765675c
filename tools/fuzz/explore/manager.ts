/** The options of the connection manager, and of the router. */
import fc, { type Arbitrary } from 'fast-check';
import { flag, merged, one, some } from './arbitrary.ts';
import { localReply } from './logs.ts';
import { mutationList } from './mutations.ts';

const detection = (name: string, fields: object): object => ({
  name: 'detection',
  typedConfig: { '@': `envoy.extensions.http.original_ip_detection.${name}`, ...fields },
});

const addresses: Arbitrary<object> = one<object>(
  {},
  { useRemoteAddress: true },
  { useRemoteAddress: true, xffNumTrustedHops: 1 },
  { useRemoteAddress: true, skipXffAppend: true },
  { xffNumTrustedHops: 2 },
  { originalIpDetectionExtensions: [detection('xff.v3.XffConfig', { xffNumTrustedHops: 1 })] },
  { originalIpDetectionExtensions: [detection('xff.v3.XffConfig', { skipXffAppend: false })] },
  {
    originalIpDetectionExtensions: [
      detection('xff.v3.XffConfig', { xffTrustedCidrs: { cidrs: [{ addressPrefix: '127.0.0.0', prefixLen: 8 }] } }),
    ],
  },
  { originalIpDetectionExtensions: [detection('custom_header.v3.CustomHeaderConfig', { headerName: 'x-a' })] },
  {
    originalIpDetectionExtensions: [
      detection('custom_header.v3.CustomHeaderConfig', { headerName: 'x-a', rejectWithStatus: { code: 401 } }),
    ],
  },
);

const hosts: Arbitrary<object> = one<object>(
  {},
  { stripAnyHostPort: true },
  { stripMatchingHostPort: true },
  { stripTrailingHostDot: true },
  { stripTrailingHostDot: true, stripAnyHostPort: true },
);

const paths: Arbitrary<object> = some(
  {
    normalizePath: one(true, false),
    mergeSlashes: flag,
    pathWithEscapedSlashesAction: one(
      'KEEP_UNCHANGED',
      'REJECT_REQUEST',
      'UNESCAPE_AND_FORWARD',
      'UNESCAPE_AND_REDIRECT',
    ),
  },
  3,
);

const commonHttpProtocolOptions: Arbitrary<object> = some(
  {
    headersWithUnderscoresAction: one('ALLOW', 'REJECT_REQUEST', 'DROP_HEADER'),
    maxHeadersCount: one(100, 8, 12),
    maxRequestsPerConnection: one(100, 1, 2),
    maxStreamDuration: one('0.4s', '30s'),
    idleTimeout: one('30s', '0.3s'),
  },
  2,
);

const httpProtocolOptions: Arbitrary<object> = some(
  {
    acceptHttp10: flag,
    defaultHostForHttp10: one('test', 'old'),
    enableTrailers: flag,
    allowChunkedLength: flag,
    allowAbsoluteUrl: one(true, false),
    overrideStreamErrorOnInvalidHttpMessage: one(true, false),
    headerKeyFormat: one<object>({ properCaseWords: {} }),
    allowCustomMethods: flag,
    sendFullyQualifiedUrl: flag,
    ignoreHttp11Upgrade: one([{ exact: 'websocket' }], [{ prefix: 'h2' }]),
  },
  3,
);

const more: Arbitrary<object> = some(
  {
    codecType: one('AUTO', 'HTTP1'),
    appendXForwardedPort: flag,
    internalAddressConfig: one<object>(
      { cidrRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] },
      { cidrRanges: [{ addressPrefix: '127.0.0.0', prefixLen: 8 }] },
    ),
    serverHeaderTransformation: one('OVERWRITE', 'APPEND_IF_ABSENT', 'PASS_THROUGH'),
    serverName: one('me'),
    via: one('me'),
    generateRequestId: one(false, true),
    preserveExternalRequestId: flag,
    alwaysSetRequestIdInResponse: flag,
    schemeHeaderTransformation: one<object>(
      { schemeToOverwrite: 'https' },
      { schemeToOverwrite: 'http', matchUpstream: true },
    ),
    addUserAgent: flag,
    proxy100Continue: flag,
    streamErrorOnInvalidHttpMessage: flag,
    upgradeConfigs: one<object[]>(
      [{ upgradeType: 'websocket' }],
      [{ upgradeType: 'CONNECT' }],
      [{ upgradeType: 'websocket', enabled: false }, { upgradeType: 'foo' }],
    ),
    maxRequestHeadersKb: one(60, 1),
    requestHeadersTimeout: one('30s', '0.3s'),
    requestTimeout: one('30s', '0.3s'),
    streamIdleTimeout: one('30s', '0.4s'),
    representIpv4RemoteAddressAsIpv4MappedIpv6: flag,
    proxyStatusConfig: one<object>(
      {},
      { removeDetails: true },
      { literalProxyName: 'lit', setRecommendedResponseCode: true },
    ),
    requestIdExtension: one<object>({
      typedConfig: { '@': 'envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig', packTraceReason: false },
    }),
    forwardClientCertDetails: one('SANITIZE', 'ALWAYS_FORWARD_ONLY', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET'),
    setCurrentClientCertDetails: one<object>({ uri: true, subject: true }),
    localReplyConfig: localReply,
    earlyHeaderMutationExtensions: mutationList.map((mutations) => [
      {
        name: 'early',
        typedConfig: {
          '@': 'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
          mutations,
        },
      },
    ]),
    commonHttpProtocolOptions,
    httpProtocolOptions,
  },
  6,
);

export const manager: Arbitrary<object> = merged(
  fc.constant({ delayedCloseTimeout: '0.050s' }),
  among3(addresses),
  among3(hosts),
  paths,
  more,
);

/** Nothing, in two of three. */
function among3(arbitrary: Arbitrary<object>): Arbitrary<object> {
  return fc.oneof({ withCrossShrink: true }, { weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary });
}

export const router: Arbitrary<object> = some(
  {
    suppressEnvoyHeaders: flag,
    respectExpectedRqTimeout: flag,
    startChildSpan: flag,
    suppressGrpcRequestFailureCodeStats: flag,
    strictCheckHeaders: one(['x-envoy-max-retries'], ['x-envoy-upstream-rq-timeout-ms', 'x-envoy-retry-on']),
  },
  8,
);
