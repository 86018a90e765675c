/**
 * What writing and reading xDS in binary costs: CPU time per message of this project's codec, of @bufbuild/protobuf (the
 * same JSON in and out, over the same descriptors) and of JSON itself. The messages are those of a sidecar of the store,
 * and ten endpoints of a service.
 * Prints a table; the last columns are ratios to this project's codec.
 */
import { join } from 'node:path';
import { fromBinary, fromJson, toBinary, toJson, type DescMessage, type JsonValue } from '@bufbuild/protobuf';
import { buildModel } from '@mizzen/model';
import { readFiles } from '@mizzen/sources';
import { envoyRegistry } from '@mizzen/testkit/protobuf/registry.ts';
import { translate } from '@mizzen/translator';
import { TypeUrl } from '@mizzen/xds';
import { decode, encode } from '@mizzen/xds/binary/index.ts';

const ROUNDS = 5;
const ROUND_MS = 400;

/** The node of a sidecar as Istio starts it. */
const NODE = {
  id: 'sidecar~10.0.0.1~web-1.default~default.svc.cluster.local',
  metadata: { NAMESPACE: 'default', LABELS: { app: 'web' }, CLUSTER_ID: 'Kubernetes', ISTIO_VERSION: '1.32.0' },
};

/** CPU time of one call, in microseconds: the best of some rounds, because others use this machine, too. */
function cost(run: () => void): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    let calls = 0;
    const until = performance.now() + ROUND_MS;
    const before = process.cpuUsage();
    while (performance.now() < until) {
      for (let i = 0; i < 10; i++) run();
      calls += 10;
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / calls);
  }
  return best;
}

/** Ten endpoints in two localities, as a control plane sends them. */
const endpoints = {
  clusterName: 'outbound|8080|v1|reviews.default.svc.cluster.local',
  endpoints: ['a', 'b'].map((zone) => ({
    locality: { region: 'region', zone },
    lbEndpoints: [1, 2, 3, 4, 5].map((n) => ({
      endpoint: { address: { socketAddress: { address: `10.0.${zone === 'a' ? 0 : 1}.${n}`, portValue: 8080 } } },
      healthStatus: 'HEALTHY',
      metadata: {
        filterMetadata: {
          istio: { workload: `reviews-v1;default;reviews;v1;Kubernetes` },
          'envoy.transport_socket_match': { tlsMode: 'istio' },
        },
      },
      loadBalancingWeight: 1,
    })),
    loadBalancingWeight: 5,
  })),
};

const registry = envoyRegistry();

/** Costs per message of a list of resources, as rows of the table. */
function rows(what: string, typeUrl: string, resources: readonly object[]): string[] {
  const type = typeUrl.slice(typeUrl.indexOf('/') + 1);
  const theirs: DescMessage = registry.getMessage(type)!;
  const binary = resources.map((each) => encode(type, each));
  const texts = resources.map((each) => JSON.stringify(each));
  const average = (all: readonly { readonly length: number }[]): number =>
    Math.round(all.reduce((sum, { length }) => sum + length, 0) / all.length);
  let at = 0;
  const next = (): number => (at = (at + 1) % resources.length);
  const costs = {
    write: [
      cost(() => encode(type, resources[next()]!)),
      cost(() => toBinary(theirs, fromJson(theirs, resources[next()] as JsonValue, { registry }))),
      cost(() => JSON.stringify(resources[next()])),
    ],
    read: [
      cost(() => decode(type, binary[next()]!)),
      cost(() => toJson(theirs, fromBinary(theirs, binary[next()]!), { registry })),
      cost(() => JSON.parse(texts[next()]!) as unknown),
    ],
  };
  return Object.entries(costs).map(([direction, [ours, other, json]]) =>
    [
      `| ${direction} ${what}`,
      `${average(binary)} (${average(texts)} in JSON)`,
      ...[ours!, other!, json!].map((each) => `${each.toFixed(1)} µs`),
      `${(other! / ours!).toFixed(1)} ×`,
      `${(json! / ours!).toFixed(2)} × |`,
    ].join(' | '),
  );
}

const { snapshot } = await readFiles(
  ['mesh', 'k8s'].map((folder) => join(import.meta.dirname, '../examples/store', folder)),
);
const { clusters, listeners, routes } = translate(buildModel(snapshot), NODE).resources;
process.stdout.write(
  '| | bytes | mizzen | bufbuild | JSON text | bufbuild / mizzen | JSON text / mizzen |\n|---|---|---|---|---|---|---|\n',
);
for (const line of [
  ...rows('a cluster', TypeUrl.cluster, clusters),
  ...rows('ten endpoints', TypeUrl.endpoint, [endpoints]),
  ...rows('a listener', TypeUrl.listener, listeners),
  ...rows('a route configuration', TypeUrl.route, routes),
])
  process.stdout.write(`${line}\n`);
