/** What keeps a proxy from starting, here as with Envoy. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, listener, staticCluster } from './testing/bootstraps.ts';
import { MAIN } from './testing/standalone.ts';

const folder = mkdtempSync(join(tmpdir(), 'mizzen-refusals-'));
const FILTERS = 'type.googleapis.com/envoy.extensions.filters.http';

/** Exit status and what is said, of each. */
function started(config: object): { envoy: [number | null, string]; mizzen: [number | null, string] } {
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(config));
  const run = (program: string, more: readonly string[]): [number | null, string] => {
    const { status, stderr } = spawnSync(program, [...more, '-c', file], { timeout: 20_000 });
    return [status, stderr.toString()];
  };
  return {
    envoy: run(envoyBinary(), ['--concurrency', '1', '--disable-hot-restart']),
    mizzen: run(process.execPath, [MAIN]),
  };
}

function jwt(requires: object, uri = 'http://keys/'): object {
  const router = { name: 'router', typedConfig: { '@type': `${FILTERS}.router.v3.Router` } };
  const httpUri = { uri, cluster: 'c', timeout: '1s' };
  const filter = {
    name: 'jwt',
    typedConfig: {
      '@type': `${FILTERS}.jwt_authn.v3.JwtAuthentication`,
      providers: { p: { issuer: 'i', remoteJwks: { httpUri } } },
      rules: [{ match: { prefix: '/' }, requires }],
    },
  };
  const manager = hcm([{ match: { prefix: '/' }, directResponse: { status: 200 } }], { httpFilters: [filter, router] });
  return bootstrap([listener(10_000, [{ filters: [manager] }])], [staticCluster('c', [9])]);
}

const byHostname = (more: object): object =>
  bootstrap(
    [],
    [
      staticCluster('c', [9], {
        commonLbConfig: { consistentHashingLbConfig: { useHostnameForHashing: true } },
        ...more,
      }),
    ],
  );
const having = (more: object): object => bootstrap([], [staticCluster('c', [9], more)]);
const one = { requirements: [{ providerName: 'p' }] };
const logged = (format: object): object =>
  bootstrap(
    [
      listener(10_000, [
        {
          filters: [
            hcm([{ match: { prefix: '/' }, directResponse: { status: 200 } }], {
              accessLog: [
                {
                  name: 'log',
                  typedConfig: {
                    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
                    logFormat: format,
                  },
                },
              ],
            }),
          ],
        },
      ]),
    ],
    [],
  );
/** A rule for connections, as one who may or as what may be done. */
const forConnections = (field: 'rules' | 'shadowRules', policy: object): object => {
  const header = { name: 'a', presentMatch: true };
  const any = { permissions: [{ any: true }], principals: [{ any: true }] };
  const given = JSON.parse(
    JSON.stringify({ ...any, ...policy }).replaceAll('"HEADER"', JSON.stringify({ header })),
  ) as object;
  const typedConfig = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC',
    statPrefix: 'r',
    [field]: { policies: { p: given } },
  };
  const manager = hcm([{ match: { prefix: '/' }, directResponse: { status: 200 } }]);
  return bootstrap([listener(10_000, [{ filters: [{ name: 'rbac', typedConfig }, manager] }])], []);
};
const INVALID: Record<string, readonly [object, RegExp]> = {
  'one requirement of any': [jwt({ requiresAny: one }), /requiresAny\.requirements: must have two entries/],
  'one requirement of all': [jwt({ requiresAll: one }), /requiresAll\.requirements: must have two entries/],
  'keys at a place that is no URI': [jwt({ providerName: 'p' }, 'keys'), /httpUri\.uri: must be an absolute URI/],
  'an operator without its formatter': [
    logged({ textFormatSource: { inlineString: '%REQ_WITHOUT_QUERY(:path)%' } }),
    /`REQ_WITHOUT_QUERY` is there with its formatter only/,
  ],
  'an operator without its formatter, in JSON': [
    logged({ jsonFormat: { a: ['%REQ_WITHOUT_QUERY(:path)%'] } }),
    /`REQ_WITHOUT_QUERY` is there with its formatter only/,
  ],
  'names of hosts that have none': [byHostname({}), /useHostnameForHashing: goes with clusters of type/],
  'names of hosts of one name': [byHostname({ type: 'LOGICAL_DNS' }), /useHostnameForHashing: goes with/],
  'thresholds of hosts for more than connections': [
    having({ circuitBreakers: { perHostThresholds: [{ maxRequests: 4 }] } }),
    /perHostThresholds\[0\]\.maxRequests: is no threshold of a host/,
  ],
  'ejections that last less than they begin with': [
    having({ outlierDetection: { baseEjectionTime: '100s', maxEjectionTime: '10s' } }),
    /outlierDetection\.maxEjectionTime: must be at least/,
  ],
};

for (const [place, policy] of [
  ['permissions[0].header', { permissions: ['HEADER'] }],
  [
    'permissions[0].andRules.rules[0].notRule.header',
    { permissions: [{ andRules: { rules: [{ notRule: 'HEADER' }] } }] },
  ],
  ['principals[0].orIds.ids[0].header', { principals: [{ orIds: { ids: ['HEADER'] } }] }],
] as const)
  for (const field of ['rules', 'shadowRules'] as const) {
    const at = `${field}.policies.p.${place}: is not for connections`;
    INVALID[`${field} for connections, ${place}`] = [
      forConnections(field, policy),
      new RegExp(at.replaceAll(/[.[\]]/g, (special) => `\\${special}`)),
    ];
  }

const beside = (more: object): object => ({ ...bootstrap([], [staticCluster('c', [9])]), ...more });
const HEAP = 'type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig';
const SHRINK = 'envoy.overload_actions.shrink_heap';
const FULL = { name: 'heap', threshold: { value: 0.9 } };
const heap = (bytes: number): object => ({ name: 'heap', typedConfig: { '@type': HEAP, maxHeapSizeBytes: bytes } });
const bound = (...others: string[]): object => ({
  upstreamBindConfig: {
    sourceAddress: { address: '127.0.0.1', portValue: 0 },
    extraSourceAddresses: others.map((address) => ({ address: { address, portValue: 0 } })),
  },
});
const authorized = (more: object): object => {
  const typedConfig = { '@type': `${FILTERS}.ext_authz.v3.ExtAuthz`, ...more };
  const router = { name: 'router', typedConfig: { '@type': `${FILTERS}.router.v3.Router` } };
  const manager = hcm([{ match: { prefix: '/' }, directResponse: { status: 200 } }], {
    httpFilters: [{ name: 'authz', typedConfig }, router],
  });
  return bootstrap([listener(10_000, [{ filters: [manager] }])], [staticCluster('c', [9])]);
};
Object.assign(INVALID, {
  'messages in JSON that are not escaped': [
    beside({ applicationLogConfig: { logFormat: { jsonFormat: { Message: '%v' } } } }),
    /applicationLogConfig\.logFormat\.jsonFormat: must not have `%v` or `%_`/,
  ],
  'an authorizer of version 2': [
    authorized({ grpcService: { envoyGrpc: { clusterName: 'c' } }, transportApiVersion: 'V2' }),
    /transportApiVersion: services of gRPC speak version 3/,
  ],
  'a heap of no bytes': [
    beside({ overloadManager: { resourceMonitors: [heap(0)] } }),
    /resourceMonitors\[0]\.typedConfig\.maxHeapSizeBytes: must be greater than 0/,
  ],
  'two monitors of one name': [
    beside({ overloadManager: { resourceMonitors: [heap(1e12), heap(1e12)] } }),
    /resourceMonitors\[1]\.name: `heap` is there twice/,
  ],
  'an unknown monitor': [
    beside({ overloadManager: { resourceMonitors: [{ name: 'other' }] } }),
    /resourceMonitors\[0]\.typedConfig: `` is not a resource monitor/,
  ],
  'an unknown overload action': [
    beside({
      overloadManager: {
        resourceMonitors: [heap(1e12)],
        actions: [{ name: 'other', triggers: [{ name: 'heap', threshold: { value: 0.9 } }] }],
      },
    }),
    /overloadManager\.actions\[0]\.name: `other` is not an action/,
  ],
  'an overload action that nothing triggers': [
    beside({
      overloadManager: {
        resourceMonitors: [heap(1e12)],
        actions: [{ name: SHRINK, triggers: [{ name: 'other', threshold: { value: 0.9 } }] }],
      },
    }),
    /overloadManager\.actions\[0]\.triggers\[0]\.name: there is no resource monitor `other`/,
  ],
  'an overload action with a trigger twice': [
    beside({
      overloadManager: { resourceMonitors: [heap(1e12)], actions: [{ name: SHRINK, triggers: [FULL, FULL] }] },
    }),
    /overloadManager\.actions\[0]\.triggers\[1]\.name: `heap` is there twice/,
  ],
  'an overload action twice': [
    beside({
      overloadManager: {
        resourceMonitors: [heap(1e12)],
        actions: [
          { name: SHRINK, triggers: [FULL] },
          { name: SHRINK, triggers: [FULL] },
        ],
      },
    }),
    /overloadManager\.actions\[1]\.name: `envoy\.overload_actions\.shrink_heap` is there twice/,
  ],
  'a point of load shedding that nothing triggers': [
    beside({
      overloadManager: {
        resourceMonitors: [heap(1e12)],
        loadshedPoints: [
          {
            name: 'envoy.load_shed_points.tcp_listener_accept',
            triggers: [{ name: 'other', threshold: { value: 0.9 } }],
          },
        ],
      },
    }),
    /overloadManager\.loadshedPoints\[0]\.triggers\[0]\.name: there is no resource monitor `other`/,
  ],
  'statistics flushed by time and on demand': [
    beside({ statsFlushInterval: '5s', statsFlushOnAdmin: true }),
    /statsFlushOnAdmin: cannot stand beside `statsFlushInterval`/,
  ],
  'a local cluster that is not there': [
    beside({ clusterManager: { localClusterName: 'other' } }),
    /clusterManager\.localClusterName: there is no static cluster `other`/,
  ],
  'two source addresses of one family': [having(bound('127.0.0.2')), /upstreamBindConfig: must have source addresses/],
  'three source addresses': [having(bound('::1', '::2')), /upstreamBindConfig: must not have more than one/],
  'two localities of a LOGICAL_DNS cluster': [
    having({
      type: 'LOGICAL_DNS',
      loadAssignment: {
        clusterName: 'c',
        endpoints: [
          { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: 'localhost', portValue: 9 } } } }] },
          {},
        ],
      },
    }),
    /loadAssignment: a LOGICAL_DNS cluster has exactly one endpoint/,
  ],
});

test.each(Object.entries(INVALID))('%s', { timeout: 60_000 }, (_, [config, message]) => {
  const { envoy, mizzen } = started(config);
  expect([envoy[0], mizzen]).toEqual([1, [1, expect.stringMatching(message)]]);
});

test('a listener whose port is taken', { timeout: 60_000 }, async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  const { port } = taken.address() as AddressInfo;
  const manager = hcm([{ match: { prefix: '/' }, directResponse: { status: 200 } }]);
  const { envoy, mizzen } = started(bootstrap([listener(port, [{ filters: [manager] }])], []));
  expect(envoy).toEqual([1, expect.stringContaining('Address already in use')]);
  expect(mizzen).toEqual([1, expect.stringContaining(`127.0.0.1:${port}: address already in use`)]);
  taken.close();
});
