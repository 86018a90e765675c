import { TypeUrl } from '@mizzen/xds';
import { describe, expect, test } from 'vitest';
import { checkFields, readResource } from './read-resource.ts';

const fieldsOf = (nacks: readonly { field: string; message: string }[]): string[] =>
  nacks.map((nack) => `${nack.field}: ${nack.message}`);

describe('reading a resource', () => {
  test('takes snake_case, numbers of enums and 64-bit strings, and leaves the rest as it is', () => {
    const { resource, nacks } = readResource(TypeUrl.cluster, {
      name: 'c',
      lb_policy: 2,
      connect_timeout: '1.5s',
      ring_hash_lb_config: { minimum_ring_size: '64' },
      load_assignment: { cluster_name: 'c' },
      outlier_detection: { consecutive_5xx: 3, enforcing_success_rate: null },
    });
    expect(nacks).toEqual([]);
    expect(resource).toEqual({
      name: 'c',
      lbPolicy: 'RING_HASH',
      connectTimeout: '1.5s',
      ringHashLbConfig: { minimumRingSize: 64 },
      loadAssignment: { clusterName: 'c' },
      outlierDetection: { consecutive5xx: 3 },
    });
  });

  test('refuses names that every object has', () => {
    const typedConfig = { '@type': 'type.googleapis.com/constructor' };
    const filters = [{ name: 'f', typedConfig }];
    expect(
      fieldsOf(checkFields(TypeUrl.listener, { name: 'l', toString: 1, filterChains: [{ filters, valueOf: {} }] })),
    ).toEqual([
      'toString: `envoy.config.listener.v3.Listener` has no such field',
      'filterChains[0].filters[0].typedConfig: `constructor` is not supported',
      'filterChains[0].valueOf: `envoy.config.listener.v3.FilterChain` has no such field',
    ]);
  });

  test('refuses values that are not supported, in lists as well', () => {
    const policies = (compliancePolicies: readonly string[]): string[] =>
      fieldsOf(
        checkFields(TypeUrl.cluster, {
          name: 'c',
          transportSocket: {
            name: 'tls',
            typedConfig: {
              '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
              commonTlsContext: { tlsParams: { compliancePolicies } },
            },
          },
        }),
      );
    expect(policies(['FIPS_202205'])).toEqual([]);
    expect(policies(['FIPS_202205', 'CNSA2_202603'])).toEqual([
      'transportSocket.typedConfig.commonTlsContext.tlsParams.compliancePolicies: `CNSA2_202603`: not supported',
    ]);
  });

  test('shares what needs no change', () => {
    const given = { name: 'c', loadAssignment: { clusterName: 'c', endpoints: [] } };
    expect(readResource(TypeUrl.cluster, given).resource).toBe(given);
  });

  test('names each wrong field by its path', () => {
    const nacks = checkFields(TypeUrl.route, {
      name: 'r',
      virtualHosts: [
        {
          name: 'v',
          domains: '*',
          routes: [
            {
              match: { prefix: '/', path: '/' },
              route: { cluster: 1, timeout: '5' },
            },
          ],
        },
        {
          name: 'w',
          domains: [],
          colour: 'red',
          requireTls: 'SOMETIMES',
          typedPerFilterConfig: { 'a.b': { '@type': 'type.googleapis.com/x.Y' } },
        },
      ],
      vhds: { configSource: { ads: {} } },
    });
    expect(fieldsOf(nacks)).toEqual([
      'virtualHosts[0].domains: must be a list',
      'virtualHosts[0].routes[0].match.path: cannot be set beside `prefix`',
      'virtualHosts[0].routes[0].route.cluster: must be a string',
      'virtualHosts[0].routes[0].route.timeout: must be seconds, such as `1.5s`',
      'virtualHosts[1].colour: `envoy.config.route.v3.VirtualHost` has no such field',
      'virtualHosts[1].requireTls: `SOMETIMES` is no value of envoy.config.route.v3.VirtualHost.TlsRequirementType',
      'virtualHosts[1].typedPerFilterConfig["a.b"]: `x.Y` is not supported',
      'vhds: not supported',
    ]);
  });

  test('a default that is spelled out asks for nothing', () => {
    expect(
      checkFields(TypeUrl.listener, { name: 'l', transparent: false, socketOptions: [], tcpFastOpenQueueLength: 0 }),
    ).toEqual([]);
    expect(fieldsOf(checkFields(TypeUrl.listener, { name: 'l', transparent: true }))).toEqual([
      'transparent: not supported',
    ]);
  });

  test('a TypedStruct stands for the type it names', () => {
    const filter = (type: string, value: object): object => ({
      name: 'l',
      filterChains: [
        {
          filters: [
            {
              name: 'f',
              typedConfig: {
                '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct',
                typeUrl: `type.googleapis.com/${type}`,
                value,
              },
            },
          ],
        },
      ],
    });
    const tcp = readResource(
      TypeUrl.listener,
      filter('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', { stat_prefix: 't', cluster: 'c' }),
    );
    expect(tcp.nacks).toEqual([]);
    expect(tcp.resource).toMatchObject({
      filterChains: [
        {
          filters: [
            {
              typedConfig: {
                '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
                statPrefix: 't',
                cluster: 'c',
              },
            },
          ],
        },
      ],
    });
    expect(
      checkFields(TypeUrl.listener, filter('envoy.tcp.metadataexchange.config.MetadataExchange', { protocol: 'x' })),
    ).toEqual([]);
  });

  test('what is no object is refused whole', () => {
    expect(fieldsOf(checkFields(TypeUrl.secret, 'x'))).toEqual([
      ': must be an object with the fields of envoy.extensions.transport_sockets.tls.v3.Secret',
    ]);
  });
});
