/** Hosts weighed by the load that they report: the weights beside the real Envoy's. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { encode } from '@mizzen/xds/binary/index.ts';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.load_balancing_policies';
const GIVEN_PORT = 1;
const servers: Server[] = [];
const ports: number[] = [];
/** What each host answers: a head and what comes after it. */
let says: string[] = [];
const asked = [0, 0, 0];

beforeAll(async () => {
  for (let i = 0; i < 3; i++) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        asked[i]!++;
        socket.write(says[i]!);
      });
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ports.push((server.address() as AddressInfo).port);
  }
});
afterAll(() => {
  for (const server of servers) server.close();
});

const head = (field: string, status = '200 OK'): string => `HTTP/1.1 ${status}\r\n${field}content-length: 0\r\n\r\n`;
const metrics = (value: string): string => head(`endpoint-load-metrics: ${value}\r\n`);
const trailer = (inHead: string, value: string): string =>
  `HTTP/1.1 200 OK\r\n${inHead}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nendpoint-load-metrics: ${value}\r\n\r\n`;
const binary = (report: object): string =>
  Buffer.from(encode('xds.data.orca.v3.OrcaLoadReport', report)).toString('base64');
const full = binary({
  applicationUtilization: 0.1,
  cpuUtilization: 0.2,
  memUtilization: 0.3,
  rps: '7',
  rpsFractional: 50,
  eps: 5,
  namedMetrics: { a: 0.4 },
  utilization: { u: 0.7 },
  requestCost: { c: 3 },
});

function policy(typedConfig: object): object {
  const fallbackPolicy = { policies: [{ typedExtensionConfig: { name: 'p', typedConfig } }] };
  const overriding = {
    '@type': `${TYPE}.override_host.v3.OverrideHost`,
    overrideHostSources: [{ header: 'x-host' }],
    fallbackPolicy,
  };
  return { loadBalancingPolicy: { policies: [{ typedExtensionConfig: { name: 'p', typedConfig: overriding } }] } };
}
const byLoad = (config: object): object => ({
  '@type': `${TYPE}.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin`,
  weightUpdatePeriod: '0.1s',
  blackoutPeriod: '0s',
  ...config,
});
const RETRIES = {
  retryPolicy: { retryOn: '5xx', numRetries: 2, retryBackOff: { baseInterval: '0.001s' } },
};
const TRAILERS = {
  typedExtensionProtocolOptions: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicitHttpConfig: { httpProtocolOptions: { enableTrailers: true } },
    },
  },
};

function weighted(clusterName: string): object {
  const endpoint = { address: { socketAddress: { address: '127.0.0.1', portValue: GIVEN_PORT } } };
  return { loadAssignment: { clusterName, endpoints: [{ lbEndpoints: [{ endpoint, loadBalancingWeight: 7 }] }] } };
}

const CLUSTERS: Readonly<Record<string, object>> = {
  plain: { ...policy(byLoad({})), ...TRAILERS },
  named: policy(
    byLoad({
      metricNamesForComputingUtilization: ['named_metrics.a', 'utilization.*', 'request_cost.c', 'mem_utilization'],
      errorUtilizationPenalty: 0,
    }),
  ),
  costs: policy(byLoad({ metricNamesForComputingUtilization: ['request_cost.*'], errorUtilizationPenalty: 2.5 })),
  retried: policy(byLoad({})),
  blackout: policy(byLoad({ blackoutPeriod: '600s' })),
  /** What a file says holds at first, what is found does not. */
  given: { ...policy(byLoad({ weightUpdatePeriod: '600s' })), ...weighted('given') },
  found: { type: 'STRICT_DNS', ...policy(byLoad({ weightUpdatePeriod: '600s' })), ...weighted('found') },
  expiring: policy(byLoad({ weightExpirationPeriod: '0.001s' })),
  localities: policy({
    '@type': `${TYPE}.wrr_locality.v3.WrrLocality`,
    endpointPickingPolicy: { policies: [{ typedExtensionConfig: { name: 'p', typedConfig: byLoad({}) } }] },
  }),
};

const text = (...values: readonly string[]): string[] => values.map((value) => metrics(`TEXT ${value}`));
const load = 'cpu_utilization=0.5,rps_fractional';
const silent = head('');

/** One after the other: a cluster and what its hosts answer, those that are not listed without a report. */
const ANSWERS: readonly (readonly [cluster: string, ...answers: readonly string[]])[] = [
  ['plain', ...text(`${load}=100`, 'cpu_utilization=0.1, rps_fractional=100')],
  ['plain', ...text('cpu_utilization=0.25,rps_fractional=100,eps=10')],
  ['plain', ...text('cpu_utilization:0.3,rps_fractional:100')],
  ['plain', metrics('cpu_utilization=0.3,rps_fractional=100')],
  ['plain', ...text('cpu_utilization=0.3,rps_fractional=100,foo=1')],
  ['plain', ...text('cpu_utilization= 0.3 ,, rps_fractional=+1e2,named_metrics.x=3')],
  ['plain', ...text('cpu_utilization=0.3,rps_fractional=101,cpu_utilization=0.3')],
  ['plain', ...text(`${load}=inf`, `${load}=110,eps=-1`, `${load}=110,named_metrics.=1`)],
  ['plain', ...text('cpu_utilization =0.3,rps_fractional=102')],
  ['plain', ...text('cpu_utilization=0.3,rps_fractional=0x6a.8p0', `${load}=0x7p4`)],
  ['plain', ...text('application_utilization=0.5,cpu_utilization=0.1,rps_fractional=100', `${load}=50`)],
  ['plain', ...text('cpu_utilization=0.2,mem_utilization=-1,rps_fractional=100')],
  ['plain', metrics('JSON {"cpu_utilization": 0.2, "rpsFractional": "30", "named_metrics": {"a": 1}, "rps": 5}')],
  ['plain', metrics('JSON {"cpu_utilization": 0.2, "rpsFractional": 44, "nothing": 1}')],
  ['plain', metrics('JSON {"cpu_utilization":0.2,"application_utilization":-1,"rps_fractional":104}')],
  ['plain', metrics('JSON {"cpu_utilization":"NaN","application_utilization":0.2,"rps_fractional":108}')],
  ['plain', metrics('JSON {"cpu_utilization":null,"application_utilization":0.2,"rps_fractional":"Infinity"}')],
  ['plain', metrics('JSON {"cpu_utilization":"Infinity","rps_fractional":"Infinity"}'), ...text(`${load}=105`)],
  ['plain', metrics(`BIN ${full}`), metrics(`BIN ${full.slice(0, 20)}`), metrics('BIN')],
  ['plain', head(`endpoint-load-metrics-bin: ${binary({ cpuUtilization: 0.5, rpsFractional: 77 })}\r\n`)],
  ['plain', head(`endpoint-load-metrics-bin: %%%\r\nendpoint-load-metrics: TEXT ${load}=88\r\n`)],
  ['plain', trailer('', `TEXT ${load}=99`)],
  ['plain', trailer(`endpoint-load-metrics: TEXT ${load}=111\r\n`, `TEXT ${load}=199`)],
  ['plain', trailer('endpoint-load-metrics: TEXT mem_utilization=0.5\r\n', `TEXT ${load}=299`)],
  ['plain', trailer('endpoint-load-metrics: BAD\r\n', `TEXT ${load}=399`)],
  ['plain', ...text('cpu_utilization=500,rps_fractional=100', 'cpu_utilization=1e-9,rps_fractional=1e5')],
  [
    'named',
    metrics(`BIN ${full}`),
    ...text('named_metrics.a=0.4,rps_fractional=100,eps=50,application_utilization=0.8'),
  ],
  ['named', ...text('mem_utilization=0.9,rps_fractional=100,application_utilization=0.8'), silent],
  ['named', silent, metrics('JSON {"utilization":{"x":0.3,"y":0.6},"rps_fractional":60}')],
  ['named', silent, metrics('JSON {"namedMetrics":{"a":-0.5},"application_utilization":0.2,"rps_fractional":110}')],
  ['costs', metrics(`BIN ${full}`), ...text(`${load}=10,eps=1`)],
  ['blackout', ...text(`${load}=100`)],
  ['expiring', ...text(`${load}=100`)],
  ['localities', ...text(`${load}=100`, `${load}=100`, `${load}=10`)],
];

async function weights(admin: number, cluster: string): Promise<number[]> {
  const page = await (await fetch(`http://127.0.0.1:${admin}/clusters`)).text();
  return ports.map((port) =>
    Number(new RegExp(`^${cluster}::127.0.0.1:${port}::weight::(\\d+)$`, 'm').exec(page)?.[1]),
  );
}

async function ask(port: number, cluster: string, host?: number): Promise<number> {
  const before = [...asked];
  const headers: Record<string, string> = host === undefined ? {} : { 'x-host': `127.0.0.1:${ports[host]}` };
  await (await fetch(`http://127.0.0.1:${port}/${cluster}`, { headers })).arrayBuffer();
  return asked.findIndex((count, i) => count !== before[i]);
}

test('hosts weigh what they report, as with Envoy', async () => {
  const config = (port: number): object =>
    bootstrap(
      [
        listener(port, [
          {
            filters: [
              hcm(Object.keys(CLUSTERS).map((name) => routeTo(name, `/${name}`, name === 'retried' ? RETRIES : {}))),
            ],
          },
        ]),
      ],
      Object.entries(CLUSTERS).map(([name, more]) => staticCluster(name, ports, more)),
    );
  const envoyPort = await freePort();
  const envoy = await startEnvoy(config(envoyPort));
  const proxyPort = await freePort();
  const proxy = await startWithAdmin(config(proxyPort));
  try {
    for (const cluster of ['given', 'found'])
      expect([cluster, await weights(proxy.admin, cluster)]).toEqual([
        cluster,
        await weights(envoy.adminPort, cluster),
      ]);
    for (const [cluster, ...answers] of ANSWERS) {
      says = ports.map((_, i) => answers[i] ?? silent);
      for (const port of [envoyPort, proxyPort])
        for (const host of ports.keys()) expect(await ask(port, cluster, host)).toBe(host);
      await expect
        .poll(() => weights(proxy.admin, cluster), { timeout: 30_000, interval: 50 })
        .toEqual(await settled(() => weights(envoy.adminPort, cluster)));
    }
    says = ports.map((_, i) => head(`endpoint-load-metrics: TEXT ${load}=${100 + i}\r\n`, '503 Busy'));
    for (const port of [envoyPort, proxyPort]) await ask(port, 'retried');
    // Of a request only the first answer counts, and which host gives that is chance.
    for (const admin of [envoy.adminPort, proxy.admin]) {
      const found = new Set(await settled(() => weights(admin, 'retried')));
      expect([found.size, Math.max(...found) >= 200]).toEqual([1, true]);
    }
    for (const cluster of ['plain', 'localities']) {
      says = text(`${load}=100`, `${load}=300`, `${load}=200`);
      for (const port of [envoyPort, proxyPort]) for (const host of ports.keys()) await ask(port, cluster, host);
      await settled(() => weights(envoy.adminPort, cluster));
      await expect.poll(() => weights(proxy.admin, cluster), { timeout: 30_000 }).toEqual([200, 600, 400]);
      for (const port of [envoyPort, proxyPort]) {
        const counts = [0, 0, 0];
        for (let i = 0; i < 30; i++) counts[await ask(port, cluster)]!++;
        // Where a round begins is chance.
        expect(counts.map((count, i) => Math.abs(count - [5, 15, 10][i]!) <= 1)).toEqual([true, true, true]);
      }
    }
  } finally {
    await proxy.stop();
    await envoy.stop();
  }
}, 120_000);

/** After some rounds of weighing, which takes turns with whoever answers. */
async function settled<T>(read: () => Promise<T>): Promise<T> {
  await wait(300);
  await read();
  return read();
}
