/** Listeners that are replaced, changed in place and removed: what goes on, and what is counted, beside the real Envoy. */
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchText } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, staticCluster, tcpProxy } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';

type Start = (config: object) => Promise<{ readonly admin: number; stop(): Promise<void> }>;

const backend = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.pipe(socket);
});
let echo = 0;
beforeAll(async () => {
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
  echo = (backend.address() as AddressInfo).port;
});
afterAll(() => void backend.close());

const startTheirs: Start = async (config) => {
  const envoy = await startEnvoy(config);
  return { admin: envoy.adminPort, stop: () => envoy.stop() };
};

function statusOf(port: number): Promise<number | string> {
  return fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    () => 'refused',
  );
}

interface Talk {
  readonly socket: Socket;
  heard: string;
  closed: boolean;
}

function talk(port: number): Talk {
  const socket = connect(port, '127.0.0.1');
  const talking: Talk = { socket, heard: '', closed: false };
  socket.on('data', (data: Buffer) => (talking.heard += data.toString()));
  socket.on('close', () => (talking.closed = true));
  socket.on('error', () => undefined);
  return talking;
}

async function change(start: Start): Promise<unknown> {
  const [one, other] = [await freePort(), await freePort()];
  const path = join(mkdtempSync(join(tmpdir(), 'mizzen-replaced-')), 'listeners.json');
  let version = 0;
  const write = (...listeners: readonly object[]): void => {
    const resources = listeners.map((each) => ({
      '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
      ...each,
    }));
    writeFileSync(`${path}.new`, JSON.stringify({ versionInfo: String(++version), resources }));
    renameSync(`${path}.new`, path);
  };
  const manager = hcm([{ match: { prefix: '/' }, directResponse: { status: 200 } }]);
  const at = (port: number, filter: object, more: object = {}): object => ({
    ...listener(port, [{ filters: [filter] }], more),
    name: 'l',
  });
  write(at(one, manager, { statPrefix: 'one' }));
  const proxy = await start({
    node: { id: 'a', cluster: 'b' },
    dynamicResources: { ldsConfig: { pathConfigSource: { path } } },
    ...bootstrap([], [staticCluster('echo', [echo])]),
  });
  const seen: unknown[] = [];
  const stats = async (filter: string): Promise<string[]> =>
    (await fetchText(proxy.admin, `/stats?filter=^(${filter})`)).split('\n');
  const note = async (): Promise<void> => {
    seen.push(await stats('listener_manager.(listener|total)_'));
  };
  /** Until it is in force, and so many listeners have been created. */
  const next = async (created: number, ...listeners: readonly object[]): Promise<void> => {
    write(...listeners);
    const wanted = [
      `listener_manager.lds.update_success: ${version}`,
      `listener_manager.listener_create_success: ${created}`,
    ];
    await until(wanted.join(' and '), async () => {
      const shown = await stats('listener_manager.(lds.update_success|listener_create_success)$');
      return wanted.every((line) => shown.includes(line));
    });
  };
  const refused = async (port: number): Promise<void> => {
    await until(`that nobody listens at ${port}`, async () => (await statusOf(port)) === 'refused');
  };
  seen.push(await statusOf(one));
  await note();
  await next(2, at(one, manager, { statPrefix: 'two' }));
  seen.push(await statusOf(one));
  await note();
  await next(3, at(other, manager, { statPrefix: 'two' }));
  await refused(one);
  seen.push(await statusOf(other));
  await next(4, at(other, tcpProxy('echo')));
  const talking = talk(other);
  const echoed = async (said: string): Promise<void> => {
    talking.socket.write(said.slice(-1));
    await until(`the echo of ${said}`, () => talking.heard === said);
  };
  await echoed('x');
  await next(5, at(other, tcpProxy('none')));
  await echoed('xy');
  const late = talk(other);
  await until('the end of a connection that leads nowhere', () => late.closed);
  await note();
  await next(5);
  await refused(other);
  await echoed('xyz');
  seen.push(talking.closed);
  await note();
  talking.socket.destroy();
  await proxy.stop();
  return seen;
}

test('changes', { timeout: 60_000 }, async () => {
  const theirs = await change(startTheirs);
  expect(await change(startWithAdmin)).toEqual(theirs);
});

async function handOver(start: Start): Promise<unknown> {
  const port = await freePort();
  const proxyProtocol = {
    name: 'envoy.filters.listener.proxy_protocol',
    typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol' },
  };
  const first = { ...listener(port, [{ filters: [tcpProxy('none')] }], { useOriginalDst: true }), name: 'first' };
  const second = { ...listener(80, [{ filters: [tcpProxy('echo')] }], { bindToPort: false }), name: 'second' };
  const proxy = await start({
    ...bootstrap(
      [
        { ...first, listenerFilters: [proxyProtocol] },
        { ...second, address: { socketAddress: { address: '10.1.1.1', portValue: 80 } } },
      ],
      [staticCluster('echo', [echo])],
    ),
    layeredRuntime: {
      layers: [{ name: 'limit', staticLayer: { 'envoy.resource_limits.listener.first.connection_limit': 1 } }],
    },
  });
  const talks = [talk(port), talk(port)];
  for (const one of talks) {
    one.socket.write('PROXY TCP4 10.2.2.2 10.1.1.1 5000 80\r\nhello');
    await until('an answer or an end', () => one.heard === 'hello' || one.closed);
  }
  const seen = talks.map(({ heard, closed }) => [heard, closed]);
  for (const { socket } of talks) socket.destroy();
  await proxy.stop();
  return seen;
}

test(
  'connections that another listener takes over count for the limit of the first, too',
  { timeout: 60_000 },
  async () => {
    const theirs = await handOver(startTheirs);
    expect(await handOver(startWithAdmin)).toEqual(theirs);
  },
);
