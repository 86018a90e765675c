/** What is asked of this proxy and of Envoy, and traced by both. */
import { TYPE } from '../../filter/testing/beside.ts';
import { request, type TraceCase } from './beside.ts';

const B3 = ['x-b3-traceid: 463ac35c9f6413ad', 'x-b3-spanid: a2fb4a1d1a96d312'];
const B3_PARENT = [...B3, 'x-b3-parentspanid: 0020000000000001', 'x-b3-sampled: 1'];
const W3C = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
const LONG = '463ac35c9f6413ad48485a3953bb6124';
const NONE = { randomSampling: { value: 0 } };

const shapes: TraceCase[] = (['INBOUND', 'OUTBOUND'] as const).flatMap((direction) =>
  [true, false].flatMap((spawnUpstreamSpan) =>
    [
      { sharedSpanContext: true },
      { sharedSpanContext: false, traceId128bit: true },
      { splitSpansForRequest: true },
    ].map((zipkin) => ({
      name: `${direction} ${JSON.stringify({ spawnUpstreamSpan, ...zipkin })}`,
      direction,
      tracing: { spawnUpstreamSpan },
      zipkin,
      route: { decorator: { operation: 'the operation' } },
      ask: [request('/a?b=c'), request('/', ...B3_PARENT), request('/', `b3: ${LONG}-a2fb4a1d1a96d312-1`)],
    })),
  ),
);

export const CASES: readonly TraceCase[] = [
  ...shapes,
  ...(
    [
      ['named', undefined],
      ['named', false],
      ['named', true],
      ['closed', true],
      ['nobody', undefined],
    ] as const
  ).map(([cluster, traceSampled]) => ({
    name: `copies to ${cluster}, sampled ${traceSampled}`,
    tracing: { spawnUpstreamSpan: cluster === 'named' },
    route: {
      route: {
        cluster: 'up',
        requestMirrorPolicies: [{ cluster, ...(traceSampled === undefined ? {} : { traceSampled }) }],
      },
    },
    ask: [request('/', ...B3_PARENT), request('/', ...B3, 'x-b3-sampled: 0')],
  })),
  {
    name: 'copies whose head cannot be sent',
    route: {
      route: {
        cluster: 'up',
        requestMirrorPolicies: [
          {
            cluster: 'named',
            requestHeadersMutations: [
              { append: { header: { key: 'x-bad', value: 'a\u0001b' }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' } },
            ],
          },
        ],
      },
    },
    ask: [request('/', ...B3_PARENT)],
  },
  ...[true, false].map((spawnUpstreamSpan) => ({
    name: `spans that upstreams are not told of ${spawnUpstreamSpan}`,
    tracing: { spawnUpstreamSpan, noContextPropagation: true },
    ask: [request('/'), request('/', ...B3_PARENT), request('/', W3C), request('/', `b3: ${LONG}-a2fb4a1d1a96d312-1`)],
  })),
  {
    name: 'copies, where upstreams are not told of spans',
    tracing: { spawnUpstreamSpan: true, noContextPropagation: true },
    route: { route: { cluster: 'up', requestMirrorPolicies: [{ cluster: 'named', traceSampled: true }] } },
    ask: [request('/', ...B3_PARENT), request('/')],
  },
  {
    name: 'B3 in odd forms',
    tracing: NONE,
    ask: [
      request('/'),
      request('/', ...B3),
      request('/', ...B3, 'x-b3-sampled: 0'),
      request('/', ...B3, 'x-b3-sampled: true'),
      request('/', ...B3, 'x-b3-sampled: d'),
      request('/', ...B3, 'x-b3-sampled: '),
      request('/', 'x-b3-sampled: 1'),
      request('/', 'x-b3-traceid: 463ac35c9f6413ad', 'x-b3-sampled: 1'),
      request('/', 'x-b3-traceid: nonsense', 'x-b3-spanid: 1', 'x-b3-sampled: 1'),
      request('/', 'x-b3-traceid: 1', 'x-b3-spanid: 2', 'x-b3-parentspanid: 3', 'x-b3-sampled: 1'),
      request('/', 'x-b3-traceid: 1', 'x-b3-spanid: 2', 'x-b3-parentspanid: z', 'x-b3-sampled: 1'),
      request('/', `x-b3-traceid: ${LONG}`, 'x-b3-spanid: a2fb4a1d1a96d312', 'x-b3-sampled: 1'),
      request('/', `x-b3-traceid: ${'0'.repeat(16)}463ac35c9f6413ad`, 'x-b3-spanid: 1', 'x-b3-sampled: 1'),
      ...['0', '1', 'd', 'x', '', '1-2'].map((b3) => request('/', `b3: ${b3}`)),
      ...[
        `${LONG}-a2fb4a1d1a96d312`,
        `${LONG}-a2fb4a1d1a96d312-0`,
        `${LONG}-a2fb4a1d1a96d312-1`,
        `${LONG}-a2fb4a1d1a96d312-d`,
        `${LONG}-a2fb4a1d1a96d312-x`,
        `${LONG}-a2fb4a1d1a96d312-`,
        `${LONG}-a2fb4a1d1a96d312-1-0020000000000001`,
        `${LONG}-a2fb4a1d1a96d312-0020000000000001`,
        `${LONG}-a2fb4a1d1a96d312-1-00200000000001`,
        '463ac35c9f6413ad-a2fb4a1d1a96d312-1',
        '463ac35c9f6413ad-a2fb4a1d1a96d312-1-0020000000000001',
        '463AC35C9F6413AD-A2FB4A1D1A96D312-1',
        '463ac35c9f6413ad-a2fb4a1d1a96d31-1',
        '463ac35c9f6413ad',
      ].map((b3) => request('/', `b3: ${b3}`)),
      request('/', 'b3: 1', ...B3),
    ],
  },
  {
    name: 'B3 with W3C',
    zipkin: { traceContextOption: 'USE_B3_WITH_W3C_PROPAGATION' },
    tracing: NONE,
    ask: [
      request('/', `${W3C}-01`, 'tracestate: a=b'),
      request('/', `${W3C}-00`),
      request('/', `${W3C}-01`, ...B3_PARENT),
      request('/', `${W3C}-01`, 'b3: 1'),
      request('/', `${W3C}-01`, 'x-b3-sampled: 0'),
      request('/', 'traceparent: nonsense'),
      request('/'),
    ],
  },
  {
    name: 'sampling by request id',
    tracing: { randomSampling: { value: 1 } },
    ask: [
      ...['00000001', '00000063', '00000064', '00002710', '000026ac', '0000270f', '0000000z', 'zzzz'].map((digits) =>
        request('/', `x-request-id: ${digits}-0000-4000-8000-000000000001`),
      ),
      ...['4', '9', 'a', 'b', 'c'].map((digit) =>
        request('/', `x-request-id: 00001000-0000-${digit}000-8000-000000000001`),
      ),
      request('/', 'x-request-id: short'),
      request('/', 'x-request-id: 0000000100'),
      request('/', 'x-request-id: 00001000-0000-4000-8000-000000000001', 'x-client-trace-id: one'),
      request('/', 'x-request-id: 00001000-0000-4000-8000-000000000001', 'x-envoy-force-trace: true'),
      request('/', 'x-request-id: short', 'x-envoy-force-trace: true'),
    ],
  },
  {
    name: 'forced from within',
    tracing: NONE,
    more: {
      useRemoteAddress: true,
      internalAddressConfig: { cidrRanges: [{ addressPrefix: '127.0.0.0', prefixLen: 8 }] },
    },
    ask: [
      request('/', 'x-envoy-force-trace: true'),
      request('/', 'x-request-id: 00001000-0000-9000-8000-000000000001'),
    ],
  },
  {
    name: 'an edge that keeps request ids',
    tracing: NONE,
    more: { useRemoteAddress: true, preserveExternalRequestId: true, alwaysSetRequestIdInResponse: true },
    ask: [
      request('/', 'x-request-id: 00001000-0000-9000-8000-000000000001'),
      request('/', 'x-request-id: short'),
      request('/', 'x-client-trace-id: mine', 'x-envoy-force-trace: 1'),
    ],
  },
  {
    name: 'no client sampling, nothing overall',
    tracing: { clientSampling: { value: 0 }, randomSampling: { value: 0 } },
    ask: [request('/', 'x-client-trace-id: one')],
  },
  {
    name: 'overall sampling',
    tracing: { overallSampling: { value: 0 } },
    ask: [request('/'), request('/', 'x-client-trace-id: one'), request('/', ...B3, 'x-b3-sampled: 1')],
  },
  {
    name: 'the reason is not packed',
    more: {
      requestIdExtension: {
        typedConfig: {
          '@type': `${TYPE}envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig`,
          packTraceReason: false,
        },
      },
    },
    ask: [request('/'), request('/', 'x-request-id: 00001000-0000-9000-8000-000000000001')],
  },
  {
    name: 'request ids do not sample',
    tracing: NONE,
    more: {
      requestIdExtension: {
        typedConfig: {
          '@type': `${TYPE}envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig`,
          useRequestIdForTraceSampling: false,
        },
      },
    },
    ask: [request('/'), request('/', 'x-request-id: short'), request('/', ...B3, 'x-b3-sampled: 0')],
  },
  {
    name: 'routes sample for themselves',
    routes: [
      {
        match: { prefix: '/none' },
        route: { cluster: 'up' },
        tracing: { randomSampling: { numerator: 0 }, overallSampling: { numerator: 100 }, clientSampling: {} },
      },
      {
        match: { prefix: '/million' },
        route: { cluster: 'up' },
        tracing: { randomSampling: { numerator: 9000, denominator: 'MILLION' } },
      },
      {
        match: { prefix: '/tags' },
        route: { cluster: 'up' },
        tracing: {
          customTags: [
            { tag: 'both', literal: { value: 'route' } },
            { tag: 'own', literal: { value: 'route' } },
          ],
          operation: 'route %REQ(x-op)%',
          upstreamOperation: 'up %UPSTREAM_CLUSTER%',
        },
      },
      { match: { prefix: '/' }, route: { cluster: 'up' } },
    ],
    tracing: {
      spawnUpstreamSpan: true,
      operation: 'manager %REQ(x-op)%',
      customTags: [
        { tag: 'both', literal: { value: 'manager' } },
        { tag: 'general', literal: { value: 'manager' } },
      ],
    },
    ask: [
      request('/none'),
      request('/none', 'x-client-trace-id: a'),
      request('/million'),
      request('/million', 'x-request-id: 00002329-0000-4000-8000-000000000001'),
      request('/tags', 'x-op: o'),
      request('/tags'),
      request('/other', 'x-op: o'),
      request('/other'),
    ],
  },
  {
    name: 'custom tags of every kind',
    tracing: {
      spawnUpstreamSpan: true,
      verbose: true,
      maxPathTagLength: 12,
      customTags: [
        { tag: 'literal', literal: { value: 'l' } },
        { tag: 'environment', environment: { name: 'PATH_THAT_IS_NOT', defaultValue: 'd' } },
        { tag: 'no environment', environment: { name: 'PATH_THAT_IS_NOT' } },
        { tag: 'header', requestHeader: { name: 'X-Some', defaultValue: 'd' } },
        { tag: 'no header', requestHeader: { name: 'x-some' } },
        { tag: 'path', requestHeader: { name: ':path' } },
        { tag: 'formatted', value: '%REQ(x-some)%-%RESPONSE_CODE%' },
        { tag: 'formatted empty', value: '%REQ(x-none)%' },
        ...['string', 'number', 'float', 'bool', 'list', 'struct', 'nothing'].map((key) => ({
          tag: `route ${key}`,
          metadata: {
            kind: { route: {} },
            metadataKey: { key: 'k', path: [{ key: 'in' }, { key }] },
            defaultValue: key === 'nothing' ? 'default' : '',
          },
        })),
        {
          tag: 'route without',
          metadata: { kind: { route: {} }, metadataKey: { key: 'none', path: [{ key: 'a' }] }, defaultValue: 'd' },
        },
        {
          tag: 'host',
          metadata: { kind: { host: {} }, metadataKey: { key: 'a', path: [{ key: 'b' }] }, defaultValue: 'no host' },
        },
        { tag: 'cluster', metadata: { kind: { cluster: {} }, metadataKey: { key: 'a', path: [{ key: 'b' }] } } },
        { tag: 'request', metadata: { kind: { request: {} }, metadataKey: { key: 'a', path: [{ key: 'b' }] } } },
        { tag: 'component', literal: { value: 'mine' } },
        { tag: 'http.method', literal: { value: 'mine' } },
      ],
    },
    route: {
      metadata: {
        filterMetadata: {
          k: {
            in: { string: 's', number: 3, float: 1.5, bool: true, list: [1, 'a', null], struct: { a: { b: 'c' } } },
          },
        },
      },
    },
    ask: [
      request('/a/long/path/that/is/cut?and=more', 'x-some: value'),
      request('/', 'x-some: one', 'x-some: two'),
      request('/é', 'x-some: é'),
    ],
  },
  ...(['INBOUND', 'OUTBOUND'] as const).map((direction) => ({
    name: `what spans are called ${direction}`,
    direction,
    routes: [
      { match: { prefix: '/plain' }, route: { cluster: 'up' } },
      { match: { prefix: '/quiet' }, route: { cluster: 'up' }, decorator: { operation: 'quiet', propagate: false } },
      { match: { prefix: '/' }, route: { cluster: 'up' }, decorator: { operation: 'aloud' } },
    ],
    ask: ['/plain', '/quiet', '/aloud'].flatMap((path) => [
      request(path),
      request(path, 'x-envoy-decorator-operation: asked'),
      request(path, 'x-envoy-decorator-operation:'),
      request(path, 'x-say: 200|x-envoy-decorator-operation: answered'),
      request(path, 'x-say: 200|x-envoy-decorator-operation:'),
    ]),
  })),
  {
    name: 'marked, and told to nobody',
    provider: null,
    tracing: {},
    route: { decorator: { operation: 'default' } },
    ask: [request('/'), request('/', ...B3_PARENT)],
  },
  { name: 'not traced', provider: null, ask: [request('/', 'x-envoy-decorator-operation: asked', ...B3_PARENT)] },
  {
    name: 'what goes wrong',
    tracing: { spawnUpstreamSpan: true, verbose: true },
    routes: [
      { match: { prefix: '/direct' }, directResponse: { status: 503, body: { inlineString: 'no' } } },
      { match: { prefix: '/redirect' }, redirect: { hostRedirect: 'else' } },
      { match: { prefix: '/closed' }, route: { cluster: 'closed' } },
      { match: { prefix: '/nobody' }, route: { cluster: 'nobody' } },
      { match: { prefix: '/unknown' }, route: { clusterHeader: 'x-none' } },
      { match: { prefix: '/timeout' }, route: { cluster: 'up', timeout: '0.2s' } },
      {
        match: { prefix: '/try' },
        route: { cluster: 'up', retryPolicy: { retryOn: '5xx', numRetries: 1, perTryTimeout: '0.2s' } },
      },
      {
        match: { prefix: '/retry' },
        route: { cluster: 'up', retryPolicy: { retryOn: '5xx', numRetries: 2 } },
      },
      {
        match: { prefix: '/rewrite' },
        route: { cluster: 'named', prefixRewrite: '/to', hostRewriteLiteral: 'other' },
      },
      { match: { prefix: '/up' }, route: { cluster: 'up' } },
    ],
    ask: [
      request('/direct'),
      request('/redirect'),
      request('/closed'),
      request('/nobody'),
      request('/unknown'),
      request('/timeout', 'x-say: slow'),
      request('/try', 'x-say: slow'),
      request('/retry', 'x-say: 503'),
      request('/rewrite/it'),
      request('/nowhere'),
      request('/up', 'x-say: hang up'),
      request('/up', 'x-say: 404'),
      request('/up', 'x-say: 500'),
      request('/up', 'user-agent: me', 'x-envoy-downstream-service-cluster: them', 'x-forwarded-for: 1.2.3.4'),
      'GET /up HTTP/1.1\r\nconnection: close\r\n\r\n',
      'POST /up HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx-request-id: 00000001-0000-4000-8000-000000000001\r\ncontent-length: 5\r\n\r\nhello',
    ],
  },
  {
    name: 'gRPC',
    tracing: { spawnUpstreamSpan: true },
    ask: [
      ...Array.from({ length: 18 }, (_, status) =>
        request(
          '/a.B/C',
          'content-type: application/grpc',
          'grpc-timeout: 5S',
          `x-say: 200|grpc-status: ${status}|grpc-message: m`,
        ),
      ),
      request('/a.B/C', 'content-type: application/grpc+proto', 'x-say: 200'),
      request('/a.B/C', 'x-say: 200|grpc-status: x'),
    ],
  },
  {
    name: 'child spans of the router',
    router: { startChildSpan: true },
    direction: 'INBOUND',
    ask: [request('/'), request('/', ...B3_PARENT)],
  },
  ...[false, true].map((grpc) => ({
    name: `OpenTelemetry ${grpc ? 'gRPC' : 'HTTP'}`,
    grpc,
    otel: { serviceName: 'the service' },
    tracing: { spawnUpstreamSpan: true, verbose: true },
    route: { decorator: { operation: 'op' } },
    ask: [
      request('/'),
      request('/', `${W3C}-01`, 'tracestate: a=b', 'tracestate: c=d'),
      request('/', `${W3C}-00`),
      request('/', 'x-say: 404'),
      request('/', 'x-say: 503'),
    ],
  })),
  ...(['INBOUND', 'OUTBOUND'] as const).map((direction) => ({
    name: `OpenTelemetry ${direction}`,
    direction,
    otel: {},
    tracing: NONE,
    ask: [
      request('/'),
      request('/', `${W3C}-01`, 'x-say: 404'),
      request('/', `${W3C}-02`),
      request('/', `${W3C}-03`),
      request('/', `${W3C}-0`),
      request('/', `${W3C}-zz`),
      request('/', `${W3C}-01-`),
      request('/', `${W3C}-01`.replace(' 00-', ' ff-')),
      request('/', `${W3C}-01`.replace(' 00-', ' 01-')),
      request('/', `${W3C}-01`.replace(' 00-', ' zz-')),
      request('/', `${W3C}-01`.toUpperCase()),
      request('/', `${W3C}-01`.replace('b7ad6b7169203331', '0000000000000000')),
      request('/', `${W3C}-01`.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32))),
      request('/', 'tracestate: a=b'),
      request('/', 'traceparent:'),
      request('/', `${W3C}-01`, `${W3C}-00`),
    ],
  })),
  {
    name: 'resources',
    otel: {
      serviceName: 'one',
      resourceDetectors: [
        {
          name: 'static',
          typedConfig: {
            '@type': `${TYPE}envoy.extensions.tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig`,
            attributes: { 'service.name': 'two', other: 'three' },
          },
        },
      ],
    },
    ask: [request('/')],
  },
  ...[
    { '@type': 'AlwaysOnSamplerConfig' },
    { '@type': 'TraceIdRatioBasedSamplerConfig', samplingPercentage: { numerator: 50 } },
    { '@type': 'TraceIdRatioBasedSamplerConfig', samplingPercentage: { numerator: 7800, denominator: 'TEN_THOUSAND' } },
    { '@type': 'TraceIdRatioBasedSamplerConfig', samplingPercentage: { numerator: 0 } },
    {
      '@type': 'ParentBasedSamplerConfig',
      wrappedSampler: {
        name: 'on',
        typedConfig: { '@type': `${TYPE}envoy.extensions.tracers.opentelemetry.samplers.v3.AlwaysOnSamplerConfig` },
      },
    },
  ].map((sampler) => ({
    name: JSON.stringify(sampler),
    tracing: { randomSampling: { value: 0 }, spawnUpstreamSpan: true },
    otel: {
      sampler: {
        name: 'sampler',
        typedConfig: {
          ...sampler,
          '@type': `${TYPE}envoy.extensions.tracers.opentelemetry.samplers.v3.${sampler['@type']}`,
        },
      },
    },
    ask: [
      ...(sampler['@type'].startsWith('TraceId') ? [] : [request('/')]),
      request('/', `${W3C}-01`, 'tracestate: a=b'),
      request('/', `${W3C}-00`, 'tracestate: a=b'),
      request('/', 'traceparent: 00-ffffffffffffffff0448eb211c80319c-b7ad6b7169203331-00'),
    ],
  })),
];
