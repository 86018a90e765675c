import { createServer as createHttp, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect, createServer as createTcp, type AddressInfo, type Server as TcpServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '@mizzen/testkit';
import {
  bootstrap,
  downstreamTls,
  hcm,
  listener,
  routeTo,
  staticCluster,
  stdoutLog,
  tcpProxy,
  upstreamTls,
} from '../process/testing/bootstraps.ts';
import { startProxy, type RunningProxy } from '../process/testing/standalone.ts';
import { testAuthority } from '../tls/testing/certificates.ts';

const TYPE = 'type.googleapis.com/';
const ca = testAuthority();
const clientId = ca.issue('client', 'URI:spiffe://cluster.local/ns/shop/sa/client');
const serverId = ca.issue('server', 'URI:spiffe://cluster.local/ns/books/sa/server');
const discovery = [{ istio_headers: {} }, { workload_discovery: {} }];
const propagation = [{ istio_headers: {} }];

function typed(type: string, value: object): object {
  return { '@type': `${TYPE}udpa.type.v1.TypedStruct`, typeUrl: `${TYPE}${type}`, value };
}
function peerMetadata(value: object): object {
  return { name: 'istio.metadata_exchange', typedConfig: typed('io.istio.http.peer_metadata.Config', value) };
}
const exchange = {
  name: 'istio.metadata_exchange',
  typedConfig: typed('envoy.tcp.metadataexchange.config.MetadataExchange', {
    enable_discovery: true,
    protocol: 'istio-peer-exchange',
  }),
};
function stats(value: object = {}): object {
  return { name: 'istio.stats', typedConfig: { '@type': `${TYPE}stats.PluginConfig`, ...value } };
}
const router = {
  name: 'envoy.filters.http.router',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` },
};
function node(name: string, namespace: string, version: string): object {
  return {
    id: `sidecar~10.0.0.1~${name}-0.${namespace}~${namespace}.svc.cluster.local`,
    cluster: name,
    metadata: {
      NAME: `${name}-0`,
      NAMESPACE: namespace,
      WORKLOAD_NAME: `${name}-${version}`,
      CLUSTER_ID: 'Kubernetes',
      ISTIO_VERSION: '1.32.0',
      OWNER: `kubernetes://apis/apps/v1/namespaces/${namespace}/deployments/${name}-${version}`,
      LABELS: {
        app: name,
        version,
        role: 'tester',
        'service.istio.io/canonical-name': name,
        'service.istio.io/canonical-revision': version,
      },
    },
  };
}
const service = (name: string, namespace: string): object => ({
  filterMetadata: { istio: { services: [{ host: `${name}.${namespace}.svc.cluster.local`, name, namespace }] } },
});

/** A message as gRPC has it. */
function frame(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}
const grpcStats = {
  name: 'envoy.filters.http.grpc_stats',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.grpc_stats.v3.FilterConfig`, emitFilterState: true },
};

let app: Server;
let echo: TcpServer;
let seen: IncomingMessage['headers'] = {};
beforeAll(async () => {
  app = createHttp((incoming, response) => {
    seen = incoming.headers;
    if (incoming.headers['content-type'] === 'application/grpc') {
      response.writeHead(200, { 'content-type': 'application/grpc', 'grpc-status': '0' });
      response.write(frame('first'));
      incoming.resume().on('end', () => response.end(Buffer.concat([frame('second'), frame('third')])));
      return;
    }
    response.statusCode = Number(incoming.headers['x-answer'] ?? 200);
    response.end('ok');
  });
  echo = createTcp((socket) => socket.on('data', (data) => socket.write(`<${data.toString()}>`)));
  await new Promise<void>((done) => app.listen(0, '127.0.0.1', done));
  await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));
});
afterAll(() => {
  app.close();
  echo.close();
});
const portOf = (server: Server | TcpServer): number => (server.address() as AddressInfo).port;

function fetchText(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ head: IncomingMessage; body: string }> {
  return new Promise((resolve, reject) => {
    httpRequest({ port, host: '127.0.0.1', path, headers, agent: false }, (head) => {
      let body = '';
      head.on('data', (chunk: Buffer) => (body += chunk.toString()));
      head.on('end', () => resolve({ head, body }));
    })
      .on('error', reject)
      .end();
  });
}

/** The samples of one metric, as label sets with a value. */
function samples(text: string, metric: string): Record<string, string>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`))
    .map((line) => {
      const found = /\{(.*)\} (\S+)$/.exec(line)!;
      const labels = [...found[1]!.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value] as const);
      return Object.fromEntries([...labels, ['value', found[2]!]]) as Record<string, string>;
    });
}

interface Pair {
  readonly http: number;
  readonly tcp: number;
  readonly client: RunningProxy;
  readonly server: RunningProxy;
  metrics(side: 'client' | 'server'): Promise<string>;
  stop(): Promise<void>;
}

async function startPair(clientStats: object = {}, clientFilter: object = {}): Promise<Pair> {
  const [http, tcp, inHttp, inTcp, clientAdmin, serverAdmin] = await Promise.all(Array.from({ length: 6 }, freePort));
  const admin = (port: number): object => ({
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: port } } },
    statsFlushOnAdmin: true,
  });
  const server = await startProxy({
    node: node('server', 'books', 'v2'),
    ...admin(serverAdmin!),
    ...bootstrap(
      [
        listener(
          inHttp!,
          [
            {
              transportSocket: downstreamTls(serverId, ca.rootFile),
              filters: [
                exchange,
                hcm([routeTo('inbound')], {
                  httpFilters: [
                    peerMetadata({ downstream_discovery: discovery, downstream_propagation: propagation }),
                    grpcStats,
                    stats({ disableHostHeaderFallback: true }),
                    router,
                  ],
                  accessLog: [
                    stdoutLog('peer=%FILTER_STATE(downstream_peer)% %CEL(filter_state.downstream_peer.workload)%'),
                  ],
                }),
              ],
            },
          ],
          { trafficDirection: 'INBOUND' },
        ),
        listener(
          inTcp!,
          [
            {
              transportSocket: downstreamTls(serverId, ca.rootFile, { alpn: ['istio-peer-exchange', 'istio'] }),
              filters: [exchange, stats({ disableHostHeaderFallback: true }), tcpProxy('inbound-tcp')],
            },
          ],
          { trafficDirection: 'INBOUND' },
        ),
      ],
      [
        staticCluster('inbound', [portOf(app)], { metadata: service('server', 'books') }),
        staticCluster('inbound-tcp', [portOf(echo)], { metadata: service('server', 'books') }),
      ],
    ),
  });
  const client = await startProxy({
    node: node('client', 'shop', 'v1'),
    ...admin(clientAdmin!),
    ...bootstrap(
      [
        listener(
          http!,
          [
            {
              filters: [
                hcm([routeTo('outbound')], {
                  httpFilters: [
                    peerMetadata({ upstream_discovery: discovery, upstream_propagation: propagation, ...clientFilter }),
                    grpcStats,
                    stats(clientStats),
                    router,
                  ],
                }),
              ],
            },
          ],
          { trafficDirection: 'OUTBOUND' },
        ),
        listener(tcp!, [{ filters: [stats(), tcpProxy('outbound-tcp')] }], { trafficDirection: 'OUTBOUND' }),
      ],
      [
        staticCluster('outbound', [inHttp!], {
          metadata: service('server', 'books'),
          transportSocket: upstreamTls(clientId, ca.rootFile),
        }),
        staticCluster('outbound-tcp', [inTcp!], {
          metadata: service('server', 'books'),
          filters: [exchange],
          transportSocket: upstreamTls(clientId, ca.rootFile, { alpn: ['istio-peer-exchange', 'istio'] }),
        }),
      ],
    ),
  });
  return {
    http: http!,
    tcp: tcp!,
    client,
    server,
    metrics: async (side) => {
      const port = side === 'client' ? clientAdmin! : serverAdmin!;
      // What histograms have recorded shows with the next request.
      await fetchText(port, '/stats/prometheus');
      await wait(50);
      return (await fetchText(port, '/stats/prometheus')).body;
    },
    stop: async () => {
      await client.stop();
      await server.stop();
    },
  };
}

const principals = {
  source_principal: 'spiffe://cluster.local/ns/shop/sa/client',
  destination_principal: 'spiffe://cluster.local/ns/books/sa/server',
};
const parties = {
  source_workload: 'client-v1',
  source_canonical_service: 'client',
  source_canonical_revision: 'v1',
  source_workload_namespace: 'shop',
  source_app: 'client',
  source_version: 'v1',
  source_cluster: 'Kubernetes',
  destination_workload: 'server-v2',
  destination_workload_namespace: 'books',
  destination_app: 'server',
  destination_version: 'v2',
  destination_service: 'server.books.svc.cluster.local',
  destination_canonical_service: 'server',
  destination_canonical_revision: 'v2',
  destination_service_name: 'server',
  destination_service_namespace: 'books',
  destination_cluster: 'Kubernetes',
};

test('both ends of a request count it, and know each other', async () => {
  const pair = await startPair();
  try {
    for (let i = 0; i < 3; i++) {
      const { head } = await fetchText(pair.http, '/');
      expect(Object.keys(head.headers).filter((name) => name.includes('peer-metadata'))).toEqual([]);
      expect(Object.keys(seen).filter((name) => name.includes('peer-metadata'))).toEqual([]);
    }
    await fetchText(pair.http, '/', { 'x-answer': '404' });
    const client = await pair.metrics('client');
    const server = await pair.metrics('server');
    const common = {
      ...parties,
      ...principals,
      request_protocol: 'http',
      grpc_response_status: '',
      response_flags: '-',
    };
    const here = { ...common, reporter: 'source', connection_security_policy: 'unknown' };
    const there = { ...common, reporter: 'destination', connection_security_policy: 'mutual_tls' };
    const codes = [
      { response_code: '200', value: '3' },
      { response_code: '404', value: '1' },
    ];
    expect(samples(client, 'istio_requests_total')).toEqual(codes.map((code) => ({ ...here, ...code })));
    expect(samples(server, 'istio_requests_total')).toEqual(codes.map((code) => ({ ...there, ...code })));
    for (const text of [client, server]) {
      for (const metric of ['request_duration_milliseconds', 'request_bytes', 'response_bytes'])
        expect(samples(text, `istio_${metric}_count`).map(({ value }) => value)).toEqual(['3', '1']);
      expect(samples(text, 'istio_build')).toEqual([{ component: 'proxy', tag: '1.32.0', value: '1' }]);
      expect(text).toContain('# TYPE istio_build gauge\n');
      expect(text).toContain('# TYPE istio_requests_total counter\n');
      expect(text).toContain('# TYPE istio_request_bytes histogram\n');
    }
    const line = pair.server
      .output()
      .split('\n')
      .find((text) => text.startsWith('peer='))!;
    const [, json, workload] = /^peer=(\{.*\}) (\S+)$/.exec(line)!;
    expect(workload).toBe('client-v1');
    expect((JSON.parse(json!) as { value: object }).value).toMatchObject({
      workload: 'client-v1',
      type: 'deployment',
      namespace: 'shop',
      service: 'client',
    });
  } finally {
    await pair.stop();
  }
}, 30_000);

test('messages of a gRPC call are counted by who takes part, on the way and to the last', async () => {
  const pair = await startPair({ tcpReportingDuration: '0.1s' });
  try {
    const call = httpRequest({
      port: pair.http,
      host: '127.0.0.1',
      method: 'POST',
      path: '/s.S/M',
      headers: { 'content-type': 'application/grpc' },
      agent: false,
    });
    const ended = new Promise<void>((resolve, reject) => {
      call.on('error', reject);
      call.on('response', (head) => head.resume().on('end', resolve));
    });
    call.write(frame('one'));
    const messages = async (side: 'client' | 'server', metric: string): Promise<Record<string, string>[]> =>
      samples(await pair.metrics(side), `istio_${metric}_messages_total`);
    const counted = async (): Promise<unknown[]> =>
      [...(await messages('client', 'request')), ...(await messages('client', 'response'))].map(({ value }) => value);
    await expect.poll(counted, { timeout: 10_000 }).toEqual(['1', '1']);
    expect(samples(await pair.metrics('client'), 'istio_requests_total')).toEqual([]);
    call.end(frame('two'));
    await ended;
    await expect.poll(counted, { timeout: 10_000 }).toEqual(['2', '3']);
    for (const [side, reporter] of [
      ['client', 'source'],
      ['server', 'destination'],
    ] as const) {
      const common = { reporter, ...parties, ...principals };
      expect(await messages(side, 'request')).toEqual([{ ...common, value: '2' }]);
      expect(await messages(side, 'response')).toEqual([{ ...common, value: '3' }]);
      expect(samples(await pair.metrics(side), 'istio_requests_total')).toMatchObject([
        { request_protocol: 'grpc', grpc_response_status: '0', value: '1' },
      ]);
    }
  } finally {
    await pair.stop();
  }
}, 30_000);

test('connections say who they are before anything else, and nobody behind the proxies sees it', async () => {
  const pair = await startPair();
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(pair.tcp, '127.0.0.1', () => socket.write('hello'));
      socket.on('error', reject);
      socket.once('data', (data) => {
        resolve(data.toString());
        socket.end();
      });
    });
    expect(answer).toBe('<hello>');
    await wait(200);
    const client = await pair.metrics('client');
    const server = await pair.metrics('server');
    const common = { ...parties, ...principals, request_protocol: 'tcp', response_flags: '-' };
    const here = { ...common, reporter: 'source', connection_security_policy: 'unknown' };
    const there = { ...common, reporter: 'destination', connection_security_policy: 'mutual_tls' };
    for (const [metric, value] of [
      ['connections_opened_total', '1'],
      ['connections_closed_total', '1'],
      ['sent_bytes_total', '7'],
      ['received_bytes_total', '5'],
    ] as const) {
      expect(samples(client, `istio_tcp_${metric}`)).toEqual([{ ...here, value }]);
      expect(samples(server, `istio_tcp_${metric}`)).toEqual([{ ...there, value }]);
    }
  } finally {
    await pair.stop();
  }
}, 30_000);

test('metrics are dropped, lose labels and get others as the configuration says', async () => {
  const pair = await startPair({
    definitions: [{ name: 'answers', value: '1' }],
    metrics: [
      { name: 'request_bytes', drop: true },
      {
        name: 'requests_total',
        tagsToRemove: ['response_flags', 'true'],
        dimensions: {
          path: 'request.url_path',
          request_protocol: "request.headers['x-kind'] + '!'",
          region: 'node.metadata.LABELS.role',
          to: 'upstream_peer.workload',
          broken: '((',
          missing: 'request.headers.nothing',
        },
      },
      { name: 'answers', dimensions: { code: 'string(response.code)', method: 'request.method' } },
      { tagsToRemove: ['source_cluster'] },
    ],
  });
  try {
    await fetchText(pair.http, '/a?b', { 'x-kind': 'odd' });
    const text = await pair.metrics('client');
    const [total] = samples(text, 'istio_requests_total');
    expect(total).toMatchObject({
      path: '/a',
      request_protocol: 'odd!',
      region: 'tester',
      to: 'server-v2',
      missing: 'unknown',
    });
    expect(Object.keys(total!)).not.toContain('response_flags');
    expect(Object.keys(total!)).not.toContain('source_cluster');
    expect(Object.keys(total!)).not.toContain('broken');
    expect(text).not.toContain('istio_request_bytes');
    const [duration] = samples(text, 'istio_request_duration_milliseconds_count');
    expect(duration).toMatchObject({ response_flags: '-', request_protocol: 'http', value: '1' });
    expect(samples(text, 'istio_answers')).toEqual([{ code: '200', method: 'GET', value: '1' }]);
  } finally {
    await pair.stop();
  }
}, 30_000);

test('a request that nobody answers counts with its flags, and falls back to the host', async () => {
  const [port, closed, adminPort] = [await freePort(), await freePort(), await freePort()];
  const proxy = await startProxy({
    node: node('client', 'shop', 'v1'),
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: adminPort } } },
    ...bootstrap(
      [
        listener(port, [
          {
            filters: [
              hcm([routeTo('gone', '/gone'), routeTo('PassthroughCluster')], { httpFilters: [stats(), router] }),
            ],
          },
        ]),
      ],
      [staticCluster('gone', [closed]), staticCluster('PassthroughCluster', [portOf(app)])],
    ),
  });
  try {
    await fetchText(port, '/gone', { host: 'books.example' });
    await fetchText(port, '/', { host: 'else.example:81' });
    const text = (await fetchText(adminPort, '/stats/prometheus')).body;
    expect(
      samples(text, 'istio_requests_total').toSorted((a, b) => (a['response_code']! < b['response_code']! ? -1 : 1)),
    ).toMatchObject([
      {
        reporter: 'source',
        response_code: '200',
        destination_service: 'else.example:81',
        destination_service_name: 'PassthroughCluster',
      },
      {
        reporter: 'source',
        response_code: '503',
        response_flags: 'UF',
        destination_service: 'books.example',
        destination_service_name: 'books.example',
        destination_workload: 'unknown',
        destination_canonical_revision: 'latest',
        destination_principal: 'unknown',
      },
    ]);
    const plain = (await fetchText(adminPort, '/stats')).body;
    expect(plain).toMatch(/^istiocustom\.istio_requests_total\.reporter\.source\.source_workload\.client-v1\..*: 1$/m);
    expect(plain).toContain('.grpc_response_status.response_flags.UF.connection_security_policy.unknown: 1\n');
  } finally {
    await proxy.stop();
  }
}, 30_000);
