import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildModel } from '@mizzen/model';
import { Ledger } from '@mizzen/sources/ledger.ts';
import { translate } from '@mizzen/translator';
import { NODES } from '../yaml/nodes.ts';

const store = join(import.meta.dirname, '../../../examples/store');

/** The resources that the store's proxies are sent, by type, and the messages that carry them. */
function samples(): Record<string, object[]> {
  const files = ['mesh', 'k8s'].flatMap((folder) =>
    readdirSync(join(store, folder))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => ({ file: name, text: readFileSync(join(store, folder, name), 'utf8') })),
  );
  const model = buildModel(new Ledger().update(files).snapshot);
  const found: Record<string, object[]> = {
    'envoy.config.cluster.v3.Cluster': [],
    'envoy.config.listener.v3.Listener': [],
    'envoy.config.route.v3.RouteConfiguration': [],
    'envoy.config.endpoint.v3.ClusterLoadAssignment': [
      {
        clusterName: 'outbound|8080||web.default.svc.cluster.local',
        endpoints: [
          {
            locality: { region: 'r', zone: 'z' },
            lbEndpoints: [
              {
                endpoint: { address: { socketAddress: { address: '10.0.0.1', portValue: 8080 } } },
                healthStatus: 'DRAINING',
              },
            ],
            loadBalancingWeight: 3,
          },
        ],
      },
    ],
  };
  for (const node of NODES) {
    const { clusters, endpoints, listeners, routes } = translate(model, node).resources;
    found['envoy.config.cluster.v3.Cluster']!.push(...clusters);
    found['envoy.config.listener.v3.Listener']!.push(...listeners);
    found['envoy.config.route.v3.RouteConfiguration']!.push(...routes);
    found['envoy.config.endpoint.v3.ClusterLoadAssignment']!.push(...endpoints);
  }
  const typeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
  const cluster = found['envoy.config.cluster.v3.Cluster']![0]!;
  const node = { id: NODES[0]!.id, cluster: 'web', metadata: NODES[0]!.metadata, locality: { region: 'r' } };
  found['envoy.service.discovery.v3.DiscoveryRequest'] = [
    { node, typeUrl, resourceNames: ['a', 'b'], versionInfo: '1' },
    {
      typeUrl,
      responseNonce: 'n',
      errorDetail: { code: 3, message: 'bad', details: [{ '@type': typeUrl, name: 'x' }] },
    },
  ];
  found['envoy.service.discovery.v3.DeltaDiscoveryRequest'] = [
    {
      node,
      typeUrl,
      resourceNamesSubscribe: ['*'],
      resourceNamesUnsubscribe: ['b'],
      initialResourceVersions: { a: '1' },
    },
  ];
  found['envoy.service.discovery.v3.DiscoveryResponse'] = [
    { typeUrl, versionInfo: '1', nonce: 'n', resources: [{ '@type': typeUrl, ...cluster }] },
  ];
  found['envoy.service.discovery.v3.DeltaDiscoveryResponse'] = [
    {
      typeUrl,
      nonce: 'n',
      resources: [{ name: 'a', version: '1', ttl: '5s', resource: { '@type': typeUrl, ...cluster } }],
    },
  ];
  found['istio.v1.auth.IstioCertificateRequest'] = [{ csr: 'x', validityDuration: '3600', metadata: { a: [1, null] } }];
  return found;
}

export const SAMPLES: Readonly<Record<string, readonly object[]>> = samples();
