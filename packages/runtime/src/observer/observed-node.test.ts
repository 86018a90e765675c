import { expect, test } from 'vitest';
import type { Clock } from '@mizzen/proxy/deps.ts';
import { metadataOf } from '@mizzen/translator/filters/peer-metadata.ts';
import type { JsonObject } from '@mizzen/xds';
import type { CommonProperties } from './entries.ts';
import { ObservedNode } from './observed-node.ts';
import { Peers } from './peers.ts';

/** A clock of which a test says when its timers are due. */
class TestClock implements Clock {
  readonly #due: (() => void)[] = [];
  now(): number {
    return 0;
  }
  wall(): number {
    return 0;
  }
  after(_: number, fn: () => void): { cancel(): void } {
    this.#due.push(fn);
    return { cancel: () => undefined };
  }
  run(): void {
    for (const fn of this.#due.splice(0)) fn();
  }
}

const metadata = (workload: string): JsonObject => ({
  NAME: `${workload}-0`,
  NAMESPACE: 'shop',
  SERVICE_ACCOUNT: 'default',
  WORKLOAD_NAME: workload,
  LABELS: { app: workload },
});
const samples = (node: ObservedNode, metric: string): string[] =>
  node
    .metrics()
    .split('\n')
    .filter((line) => line.startsWith(`istio_${metric}{`));

function observed(): { clock: TestClock; peers: Peers; client: ObservedNode; server: ObservedNode } {
  const clock = new TestClock();
  const peers = new Peers(clock);
  const node = (id: string): ObservedNode => {
    peers.add(id, metadata(id));
    return new ObservedNode(id, metadata(id), clock, peers);
  };
  return { clock, peers, client: node('client'), server: node('server') };
}
const at = (port: number) => ({ socketAddress: { address: '127.0.0.1', portValue: port } });
const values = (lines: readonly string[]): number[] => lines.map((line) => Number(line.split(' ').at(-1)));

test('a connection that goes on reports what is new of it, and is opened and closed once', () => {
  const { client } = observed();
  const sink = client.open('{"direction":"OUTBOUND"}')!;
  const entry = (accessLogType: string, sent: number, received: number): void =>
    sink.tcp({
      commonProperties: { accessLogType, streamId: 'a', upstreamCluster: 'db', upstreamLocalAddress: at(4000) },
      connectionProperties: { sentBytes: String(sent), receivedBytes: String(received) },
    });
  entry('TcpUpstreamConnected', 0, 0);
  expect(samples(client, 'tcp_connections_opened_total')).toEqual([]);
  entry('TcpPeriodic', 10, 1);
  entry('TcpPeriodic', 30, 1);
  expect(values(samples(client, 'tcp_connections_opened_total'))).toEqual([1]);
  expect(samples(client, 'tcp_connections_closed_total')).toEqual([]);
  entry('TcpConnectionEnd', 35, 2);
  expect(values(samples(client, 'tcp_sent_bytes_total'))).toEqual([35]);
  expect(values(samples(client, 'tcp_received_bytes_total'))).toEqual([2]);
  expect(values(samples(client, 'tcp_connections_opened_total'))).toEqual([1]);
  expect(values(samples(client, 'tcp_connections_closed_total'))).toEqual([1]);
});

test('a server waits for what the client says of their connection', () => {
  const { client, server, clock } = observed();
  const [source, destination] = [client.open('{"direction":"OUTBOUND"}')!, server.open('{"direction":"INBOUND"}')!];
  // The service account is that of both, so that it tells nothing.
  const tlsProperties = {
    peerCertificateProperties: { subjectAltName: [{ uri: 'spiffe://cluster.local/ns/shop/sa/default' }] },
  };
  destination.tcp({
    commonProperties: {
      accessLogType: 'TcpConnectionEnd',
      streamId: 'b',
      downstreamDirectRemoteAddress: at(4000),
      tlsProperties,
    },
    connectionProperties: { sentBytes: '1', receivedBytes: '1' },
  });
  expect(samples(server, 'tcp_connections_closed_total')).toEqual([]);
  source.tcp({
    commonProperties: { accessLogType: 'TcpUpstreamConnected', streamId: 'a', upstreamLocalAddress: at(4000) },
  });
  clock.run();
  const [line = ''] = samples(server, 'tcp_connections_closed_total');
  expect(line).toContain('source_workload="client"');
  expect(line).toContain('source_principal="spiffe://cluster.local/ns/shop/sa/default"');
});

test('expressions see the TLS of a connection: its version, as Envoy writes it, and both names', () => {
  const { server } = observed();
  const names = [
    'connection.tls_version',
    'connection.uri_san_peer_certificate',
    'connection.uri_san_local_certificate',
  ];
  const dimensions = Object.fromEntries(names.map((name, i) => [`tls_${i}`, name]));
  const metrics = [{ name: 'requests_total', dimensions }];
  const sink = server.open(JSON.stringify({ direction: 'INBOUND', metrics }))!;
  const named = (uri: string) => ({ subjectAltName: [{ uri }] });
  sink.http({
    commonProperties: {
      tlsProperties: {
        tlsVersion: 'TLSv1_3',
        peerCertificateProperties: named('spiffe://a'),
        localCertificateProperties: named('spiffe://b'),
      },
    },
  });
  sink.http({});
  expect(samples(server, 'requests_total').map((line) => line.replace(/.*,(tls_0.*)\}.*/, '$1'))).toEqual([
    'tls_0="TLSv1.3",tls_1="spiffe://a",tls_2="spiffe://b"',
    'tls_0="unknown",tls_1="unknown",tls_2="unknown"',
  ]);
});

test('messages of a call are counted as it goes on, once it is known who takes part, and the call when it ends', () => {
  const { server } = observed();
  const sink = server.open('{"direction":"INBOUND"}')!;
  const entry = (streamId: string, accessLogType: string, messages: string, from = ''): void =>
    sink.http({
      commonProperties: {
        accessLogType,
        streamId,
        customTags: { messages },
        metadata: { filterMetadata: { 'mizzen.peer': { metadata: from } } },
      },
      request: { requestHeaders: { 'content-type': 'application/grpc' } },
      response: { responseCode: 200 },
    });
  const counts = (): number[][] =>
    ['requests_total', 'request_messages_total', 'response_messages_total'].map((name) =>
      values(samples(server, name)),
    );
  const client = metadataOf({ id: 'client', metadata: metadata('client') });
  entry('a', 'DownstreamPeriodic', '1,0');
  expect(counts()).toEqual([[], [], []]);
  entry('a', 'DownstreamPeriodic', '3,1', client);
  entry('a', 'DownstreamPeriodic', '4,1', client);
  entry('b', 'DownstreamEnd', '1,2', client);
  expect(counts()).toEqual([[1], [5], [3]]);
  entry('a', 'DownstreamEnd', '7,5', client);
  expect(counts()).toEqual([[2], [8], [7]]);
  expect(samples(server, 'request_messages_total')[0]).toContain('source_workload="client"');
  // One that nobody heard the end of does not stand in the way of another.
  entry('c', 'DownstreamPeriodic', '9,0', client);
  sink.end();
  entry('c', 'DownstreamEnd', '1,0', client);
  expect(counts()).toEqual([[3], [18], [7]]);
});

test('flags are told in the order in which they were set, and failures are errors of the edge', () => {
  const { client } = observed();
  const sink = client.open('{"direction":"OUTBOUND"}')!;
  const commonProperties: CommonProperties = {
    upstreamCluster: 'outbound|80||books.shop.svc.cluster.local',
    upstreamRemoteAddress: at(8080),
    duration: '0.012s',
    customTags: {
      flags: 'URX,UF',
      workload: 'books;shop;books;v1;Kubernetes',
      services: '[{"host":"books.shop.svc.cluster.local","name":"books"}]',
    },
  };
  sink.http({ commonProperties, request: { authority: 'books' }, response: { responseCode: 503 } });
  const [line = ''] = samples(client, 'requests_total');
  expect(line).toContain('response_flags="URX,UF"');
  expect(line).toContain('destination_service="books.shop.svc.cluster.local"');
  expect(line).toContain('destination_workload="books"');
  expect(client.traffic()?.clusters).toEqual([
    {
      cluster: 'outbound|80||books.shop.svc.cluster.local',
      unsent: 0,
      times: [],
      hosts: [{ address: '127.0.0.1:8080', requests: 1, errors: 1, clientErrors: 0, connections: 0, tls: false }],
    },
  ]);
  expect(client.traffic()).toBeUndefined();
  const plain = { ...commonProperties, customTags: {} };
  const grpc = { requestHeaders: { 'content-type': 'application/grpc' } };
  sink.http({ commonProperties: plain, request: {}, response: { responseCode: 403 } });
  const denied = { responseCode: 200, responseTrailers: { 'grpc-status': '7' } };
  sink.http({ commonProperties: plain, request: grpc, response: denied });
  const broken = { responseCode: 200, responseTrailers: { 'grpc-status': '13' } };
  sink.http({ commonProperties: plain, request: grpc, response: broken });
  expect(client.traffic()?.clusters[0]?.hosts).toMatchObject([{ requests: 3, errors: 1, clientErrors: 2 }]);
});

test('a log whose name says nothing of metrics is nobody of ours', () => {
  expect(observed().client.open('http_envoy_accesslog')).toBeUndefined();
});

test('a connection that ends while an earlier entry of it waits is opened and closed once', () => {
  const { client, server, clock } = observed();
  const [source, destination] = [client.open('{"direction":"OUTBOUND"}')!, server.open('{"direction":"INBOUND"}')!];
  const entry = (accessLogType: string, bytes: number): void =>
    destination.tcp({
      commonProperties: { accessLogType, streamId: 'c', downstreamDirectRemoteAddress: at(4001) },
      connectionProperties: { sentBytes: String(bytes), receivedBytes: '1' },
    });
  entry('TcpPeriodic', 10);
  source.tcp({ commonProperties: { accessLogType: 'TcpUpstreamConnected', upstreamLocalAddress: at(4001) } });
  entry('TcpConnectionEnd', 15);
  clock.run();
  for (const metric of ['tcp_connections_opened_total', 'tcp_connections_closed_total', 'tcp_received_bytes_total'])
    expect(values(samples(server, metric)), metric).toEqual([1]);
  expect(values(samples(server, 'tcp_sent_bytes_total'))).toEqual([15]);
  // Of another, nobody ever says whose it is.
  for (const [type, bytes] of [
    ['TcpPeriodic', '1'],
    ['TcpConnectionEnd', '3'],
  ] as const) {
    destination.tcp({
      commonProperties: { accessLogType: type, streamId: 'd', downstreamDirectRemoteAddress: at(4002) },
      connectionProperties: { sentBytes: bytes, receivedBytes: '0' },
    });
  }
  clock.run();
  clock.run();
  expect(values(samples(server, 'tcp_connections_opened_total'))).toEqual([1, 1]);
  expect(values(samples(server, 'tcp_connections_closed_total'))).toEqual([1, 1]);
  expect(values(samples(server, 'tcp_sent_bytes_total')).toSorted((a, b) => a - b)).toEqual([3, 15]);
});
