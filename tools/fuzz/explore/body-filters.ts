/** Filters that read or write bodies, or keep something for later. */
import fc, { type Arbitrary } from 'fast-check';
import { flag, merged, one, some } from './arbitrary.ts';
import type { Kind } from './kind.ts';

const GZIP = { name: 'gz', typedConfig: { '@': 'compression.gzip.compressor.v3.Gzip' } };
const BROTLI = { name: 'br', typedConfig: { '@': 'compression.brotli.compressor.v3.Brotli' } };
const enabled: Arbitrary<object> = one(true, false).map((defaultValue) => ({ defaultValue, runtimeKey: 'none' }));

const common: Arbitrary<object> = some(
  { enabled, minContentLength: one(1, 3), contentType: one(['text/plain'], ['a/b']) },
  2,
);
const responseDirectionConfig: Arbitrary<object> = some(
  {
    commonConfig: common,
    disableOnEtagHeader: flag,
    weakenEtagOnCompress: flag,
    removeAcceptEncodingHeader: flag,
    uncompressibleResponseCodes: one([404, 503]),
    statusHeaderEnabled: flag,
  },
  3,
);
const compressor: Arbitrary<object> = merged(
  one({ compressorLibrary: GZIP }, { compressorLibrary: BROTLI }),
  some(
    {
      responseDirectionConfig,
      requestDirectionConfig: common.map((each) => ({ commonConfig: each })),
      chooseFirst: flag,
    },
    2,
  ),
);

const decompressing: Arbitrary<object> = some({ commonConfig: some({ enabled, ignoreNoTransformHeader: flag }, 2) }, 2);
const decompressor: Arbitrary<object> = merged(
  fc.constant({
    decompressorLibrary: { name: 'gz', typedConfig: { '@': 'compression.gzip.decompressor.v3.Gzip', windowBits: 15 } },
  }),
  some(
    {
      requestDirectionConfig: merged(decompressing, some({ advertiseAcceptEncoding: one(false, true) }, 2)),
      responseDirectionConfig: decompressing,
    },
    2,
  ),
);

const jsonToMetadata: Arbitrary<object> = merged(
  one<object[]>(
    [
      {
        selectors: [{ key: 'a' }],
        onPresent: { metadataNamespace: 'a', key: 'b' },
        onMissing: { metadataNamespace: 'a', key: 'b', value: 'none' },
        onError: { metadataNamespace: 'a', key: 'b', value: 'error' },
      },
    ],
    [{ selectors: [{ key: 'a' }, { key: 'b' }], onPresent: { metadataNamespace: 'a', key: 'b', type: 'NUMBER' } }],
    [
      {
        selectors: [{ key: 'a' }],
        onPresent: { metadataNamespace: 'a', key: 'b', type: 'STRING', preserveExistingMetadataValue: true },
        onError: { metadataNamespace: 'a', key: 'b', value: 1 },
      },
    ],
  ).map((rules) => ({ rules })),
  some(
    {
      allowContentTypes: one(['text/json']),
      allowEmptyContentType: flag,
      allowContentTypesRegex: one({ regex: '.*' }),
    },
    2,
  ),
).map((requestRules) => ({ requestRules }));

const state: Arbitrary<object> = merged(
  one<object>(
    { objectKey: 'k', factoryKey: 'envoy.string', formatString: { textFormatSource: { inlineString: '%REQ(x-a)%' } } },
    {
      objectKey: 'k',
      factoryKey: 'envoy.string',
      formatString: { textFormatSource: { inlineString: '%REQ(x-b)%-' }, omitEmptyValues: true },
    },
    { objectKey: 'envoy.network.upstream_server_name', formatString: { textFormatSource: { inlineString: 'name' } } },
  ),
  some({ skipIfEmpty: flag, readOnly: flag, sharedWithUpstream: one('ONCE', 'TRANSITIVE') }, 3),
);
const setFilterState: Arbitrary<object> = merged(
  fc.array(state, { minLength: 1, maxLength: 2 }).map((onRequestHeaders) => ({ onRequestHeaders })),
  some({ clearRouteCache: flag }, 3),
);

const session = (type: string, fields: object): object => ({
  sessionState: {
    name: `envoy.http.stateful_session.${type.split('.')[0]}`,
    typedConfig: { '@': `envoy.extensions.http.stateful_session.${type}`, ...fields },
  },
});
const statefulSession: Arbitrary<object> = merged(
  one<object>(
    session('cookie.v3.CookieBasedSessionState', { cookie: { name: 'c', path: '/', ttl: '120s' } }),
    session('cookie.v3.CookieBasedSessionState', { cookie: { name: 'c', path: '/a' } }),
    session('header.v3.HeaderBasedSessionState', { name: 'x-a' }),
    session('envelope.v3.EnvelopeSessionState', { header: { name: 'x-up' } }),
  ),
  some({ strict: flag, statPrefix: one('s'), statusOnStrictDestinationNotFound: one(410) }, 3),
);

export const BODY_KINDS: readonly Kind[] = [
  {
    name: 'compressor',
    own: 'compressor.v3.Compressor',
    config: compressor,
    perRoute: [
      'compressor.v3.CompressorPerRoute',
      one<object>(
        { disabled: true },
        { overrides: { responseDirectionConfig: {} } },
        { overrides: { responseDirectionConfig: { removeAcceptEncodingHeader: true } } },
      ),
    ],
  },
  { name: 'decompressor', own: 'decompressor.v3.Decompressor', config: decompressor },
  { name: 'json_to_metadata', own: 'json_to_metadata.v3.JsonToMetadata', config: jsonToMetadata },
  {
    name: 'set_filter_state',
    own: 'set_filter_state.v3.Config',
    config: setFilterState,
    perRoute: ['set_filter_state.v3.Config', setFilterState],
  },
  {
    name: 'stateful_session',
    own: 'stateful_session.v3.StatefulSession',
    config: statefulSession,
    perRoute: [
      'stateful_session.v3.StatefulSessionPerRoute',
      statefulSession.chain((each) => one<object>({ statefulSession: each }, { disabled: true })),
    ],
  },
];
