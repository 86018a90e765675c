/** Connections of calls end with the hosts they lead to, here as in the real Envoy. */
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, listener, socketAddress } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';

const TYPE = 'type.googleapis.com/envoy';

/** A gRPC service that says no to everything. */
async function service(): Promise<{ readonly port: number; open(): number; close(): void }> {
  const server = createServer();
  let open = 0;
  server.on('session', (session) => {
    open++;
    session.on('close', () => open--);
  });
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7' }, { endStream: true });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as AddressInfo).port, open: () => open, close: () => server.close() };
}

async function observe(start: (config: object) => Promise<{ stop(): Promise<void> }>): Promise<number[][]> {
  const [one, other] = [await service(), await service()];
  const path = join(mkdtempSync(join(tmpdir(), 'mizzen-hosts-')), 'endpoints.json');
  const place = (port: number): void => {
    const resource = {
      '@type': `${TYPE}.config.endpoint.v3.ClusterLoadAssignment`,
      clusterName: 'auth',
      endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(port) } }] }],
    };
    writeFileSync(`${path}.new`, JSON.stringify({ versionInfo: String(port), resources: [resource] }));
    renameSync(`${path}.new`, path);
  };
  place(one.port);
  const port = await freePort();
  const filter = {
    name: 'envoy.filters.http.ext_authz',
    typedConfig: {
      '@type': `${TYPE}.extensions.filters.http.ext_authz.v3.ExtAuthz`,
      transportApiVersion: 'V3',
      grpcService: { envoyGrpc: { clusterName: 'auth' } },
    },
  };
  const router = { name: 'router', typedConfig: { '@type': `${TYPE}.extensions.filters.http.router.v3.Router` } };
  const manager = hcm([{ match: { prefix: '/' }, directResponse: { status: 200 } }], { httpFilters: [filter, router] });
  const cluster = {
    name: 'auth',
    type: 'EDS',
    edsClusterConfig: { edsConfig: { pathConfigSource: { path } } },
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions`,
        explicitHttpConfig: { http2ProtocolOptions: {} },
      },
    },
  };
  const node = { id: 'a', cluster: 'b' };
  const proxy = await start({ node, ...bootstrap([listener(port, [{ filters: [manager] }])], [cluster]) });
  const seen: number[][] = [];
  const ask = async (): Promise<void> => {
    const { status } = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    seen.push([status, one.open(), other.open()]);
  };
  await ask();
  place(other.port);
  await until('the end of the connection to the first host', () => one.open() === 0);
  seen.push([0, one.open(), other.open()]);
  await ask();
  await proxy.stop();
  one.close();
  other.close();
  return seen;
}

test('a connection to a host that is not there any more is closed', { timeout: 30_000 }, async () => {
  const theirs = await observe(startEnvoy);
  expect(await observe(startProxy)).toEqual(theirs);
  expect(theirs).toEqual([
    [403, 1, 0],
    [0, 0, 0],
    [403, 0, 1],
  ]);
});
