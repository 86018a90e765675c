/** One listener with a random configuration of HTTP, clusters of its own behind it, and the connections that it gets. */
import fc, { type Arbitrary } from 'fast-check';
import { cluster, expandTyped, listener } from '../../../conformance/configuration.ts';
import { flag, one, some } from './arbitrary.ts';
import { filters } from './filters.ts';
import { accessLog } from './logs.ts';
import { manager, router } from './manager.ts';
import type { Exchange } from './requests.ts';
import { routeConfig } from './routes.ts';

export interface Unit extends Configuration {
  readonly exchanges: readonly Exchange[];
}

export interface Configuration {
  readonly hcm: object;
  readonly router: object;
  readonly filters: readonly object[];
  readonly routeConfig: object;
  readonly log: object;
  readonly listener: object;
  /** Of the clusters `a` and `b`. */
  readonly cluster: object;
  /** How their connections speak HTTP. */
  readonly upstream: object;
}

const upstream: Arbitrary<object> = some(
  {
    commonHttpProtocolOptions: some(
      {
        maxRequestsPerConnection: one(1, 2),
        maxHeadersCount: one(4),
        headersWithUnderscoresAction: one('REJECT_REQUEST', 'DROP_HEADER'),
      },
      2,
    ),
    http: some(
      {
        enableTrailers: flag,
        headerKeyFormat: one({ properCaseWords: {} }),
        allowChunkedLength: flag,
        sendFullyQualifiedUrl: flag,
      },
      2,
    ),
  },
  6,
);

export const configuration: Arbitrary<Configuration> = fc.record({
  hcm: manager,
  router,
  filters,
  routeConfig,
  log: accessLog,
  listener: some(
    {
      perConnectionBufferLimitBytes: one(1_000_000, 1000),
      metadata: one({ filterMetadata: { a: { b: 'listener' } } }),
    },
    8,
  ),
  cluster: some(
    {
      perConnectionBufferLimitBytes: one(1000),
      metadata: one({ filterMetadata: { a: { b: 'cluster' } } }),
      altStatName: one('UNITalt'),
    },
    10,
  ),
  upstream,
});

const OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function upstreamOptions(written: object): object {
  if (Object.keys(written).length === 0) return {};
  const { http, ...rest } = written as { http?: object };
  return {
    typedExtensionProtocolOptions: {
      [OPTIONS]: { '@': OPTIONS, ...rest, explicitHttpConfig: { httpProtocolOptions: http ?? {} } },
    },
  };
}

/** The listener of a unit. Its name, and the beginning of those of its clusters, is put in place of `UNIT`. */
export function listenerOf(one: Configuration): object {
  const http = {
    filters: one.filters,
    router: one.router,
    routeConfig: { validateClusters: false, ...one.routeConfig },
    hcm: { ...one.hcm, statPrefix: 'UNIT', accessLog: [one.log] },
  };
  return expandTyped(listener('UNIT', { ...one.listener, filterChains: [{ filters: [{ http }] }] }, {})) as object;
}

/** The clusters of a unit: `a` and `b`, a ring of both, `b` as the authorizer, one where nobody listens and one without endpoints. */
export function clustersOf(one: Configuration): object[] {
  const own = { ...one.cluster, ...upstreamOptions(one.upstream) };
  const all: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    a: { endpoints: ['UNITa'], ...own },
    b: { endpoints: ['UNITb'], ...own, altStatName: undefined },
    ring: { endpoints: ['UNITa', 'UNITb'], lbPolicy: 'RING_HASH' },
    // An authorizer has connections of its own: whether one is free already when another request comes is chance.
    auth: { endpoints: ['UNITb'] },
    dead: { endpoints: ['dead'] },
    empty: {},
  };
  return Object.entries(all).map(([name, raw]) => expandTyped(cluster(`UNIT${name}`, raw)) as object);
}
