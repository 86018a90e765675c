/** How many connections a listener takes, and all together, beside the real Envoy. */
import { connect, type Socket } from 'node:net';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { statsWhenQuiet } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';

const route = { match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'ok' } } };

/** A connection that has asked once: what came of it, and the connection. */
async function ask(port: number): Promise<{ readonly outcome: string; readonly socket: Socket }> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  const outcome = new Promise<string>((done) => {
    socket.once('data', (data) => done(data.toString().slice(9, 12)));
    socket.once('close', () => done('closed'));
  });
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return { outcome: await outcome, socket };
}

/** Until the proxy has closed it, too. The admin interface could not be asked: its connections count. */
async function end(socket: Socket): Promise<void> {
  socket.end();
  if (!socket.closed) await new Promise((done) => socket.once('close', done));
}

const MONITOR = {
  resourceMonitors: [
    {
      name: 'envoy.resource_monitors.global_downstream_max_connections',
      typedConfig: {
        '@type':
          'type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
        maxActiveDownstreamConnections: '4',
      },
    },
  ],
};

async function observe(
  start: (config: object) => Promise<{ readonly adminPort?: number; stop(): Promise<void> }>,
  overall: 'monitor' | 'runtime',
  total: number,
): Promise<unknown> {
  const admin = await freePort();
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  const limits = {
    'envoy.resource_limits.listener.limited.connection_limit': 2,
    ...(overall === 'runtime' ? { 'overload.global_downstream_max_connections': total } : {}),
  };
  const one = (name: string, port: number, more: object = {}): object => ({
    ...listener(port, [{ filters: [hcm([route])] }], more),
    name,
    statPrefix: name,
  });
  const proxy = await start({
    ...bootstrap(
      [one('limited', ports[0]), one('other', ports[1]), one('free', ports[2], { ignoreGlobalConnLimit: true })],
      [],
    ),
    layeredRuntime: { layers: [{ name: 'static', staticLayer: limits }] },
    ...(overall === 'monitor' ? { overloadManager: MONITOR } : {}),
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: admin } } },
  });
  const outcomes: string[] = [];
  const sockets: Socket[] = [];
  for (const i of [0, 0, 0, 1, 1, 1, 2, 2] as const) {
    const { outcome, socket } = await ask(ports[i]);
    outcomes.push(outcome);
    sockets.push(socket);
  }
  await end(sockets[0]!);
  for (const i of [0, 0, 1] as const) {
    const { outcome, socket } = await ask(ports[i]);
    outcomes.push(outcome);
    sockets.push(socket);
  }
  await Promise.all(sockets.map(end));
  const stats = await statsWhenQuiet(proxy.adminPort ?? admin);
  await proxy.stop();
  return [
    outcomes,
    stats
      .split('\n')
      .filter((line) => /^listener\.(limited|other|free)\.downstream_(global_)?cx_(overflow|total)/.test(line)),
  ];
}

test.each(['monitor', 'runtime'] as const)(
  'connections over the limit are refused as by Envoy: %s',
  async (overall) => {
    // The connection to its admin address by which it was found ready counts there.
    const theirs = await observe(startEnvoy, overall, 5);
    expect(JSON.stringify(theirs)).toContain('closed');
    expect(await observe(startProxy, overall, 4)).toEqual(theirs);
  },
  60_000,
);
