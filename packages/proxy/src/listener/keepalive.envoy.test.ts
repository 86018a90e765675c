/** Probes of silent connections, and how long connections last, beside the real Envoy. */
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, listener, routeTo, staticCluster, stdoutLog } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';

type Start = (config: object) => Promise<{ output(): string; stop(): Promise<void> }>;
const OK = { match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'ok' } } };

function ask(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', reject);
    socket.once('data', () => resolve(socket));
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  });
}

/** Seconds until the kernel probes the peer, in steps of 20; undefined: it will not. */
async function probesIn(local: number, remote: number | undefined): Promise<number | undefined> {
  let timer: Timer | undefined;
  // Until all it sent is acknowledged there is another timer.
  await until(
    () => `a silent connection at ${local}: ${timer?.kind}`,
    () => (timer = timerOf(local, remote))?.kind === '02' || timer?.kind === '00',
  );
  return timer!.kind === '02' ? Math.ceil(timer!.seconds / 20) * 20 : undefined;
}

interface Timer {
  readonly kind: string;
  readonly seconds: number;
}

function timerOf(local: number, remote: number | undefined): Timer | undefined {
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, from = '', to = '', , , timer = ''] = line.trim().split(/\s+/);
    const port = (end: string): number => Number.parseInt(end.split(':')[1] ?? '', 16);
    if (port(from) !== local || (remote !== undefined && port(to) !== remote)) continue;
    const [kind = '', when = ''] = timer.split(':');
    // A socket that listens has a line, too.
    if (remote !== undefined || port(to) !== 0) return { kind, seconds: Number.parseInt(when, 16) / 100 };
  }
  return undefined;
}

async function observe(start: Start): Promise<unknown> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  let upstreamEnd: number | undefined;
  server.on('connection', ({ remotePort }) => (upstreamEnd = remotePort));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const ports: number[] = [];
  for (let i = 0; i < 7; i++) ports.push(await freePort());
  const address = (port: number): object => ({ socketAddress: { address: '127.0.0.1', portValue: port } });
  const upstream = {
    ...staticCluster('up', [(server.address() as AddressInfo).port]),
    upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 120, keepaliveInterval: 3, keepaliveProbes: 2 } },
  };
  const chains = [{ filters: [hcm([OK])] }];
  const proxy = await start(
    bootstrap(
      [
        listener(ports[0]!, chains, { tcpKeepalive: { keepaliveTime: 60, keepaliveInterval: 5, keepaliveProbes: 3 } }),
        listener(ports[1]!, chains),
        listener(ports[2]!, chains, { tcpKeepalive: {} }),
        listener(ports[3]!, chains, {
          tcpKeepalive: { keepaliveTime: 80 },
          additionalAddresses: [
            { address: address(ports[4]!) },
            { address: address(ports[5]!), tcpKeepalive: { keepaliveTime: 200 } },
          ],
        }),
        listener(ports[6]!, [{ filters: [hcm([routeTo('up')])] }]),
      ],
      [upstream],
    ),
  );
  const seen: (number | undefined)[] = [];
  for (const port of ports) {
    const socket = await ask(port);
    seen.push(await probesIn(port, socket.localPort));
    if (port === ports[6]) seen.push(await probesIn(upstreamEnd!, undefined));
    socket.destroy();
  }
  await proxy.stop();
  server.close();
  return seen;
}

test('silent peers are probed when Envoy probes them', async () => {
  const theirs = await observe(startEnvoy);
  expect(theirs).toContain(60);
  expect(await observe(startProxy)).toEqual(theirs);
}, 30_000);

test.each([
  ['Envoy', startEnvoy],
  ['this proxy', startProxy],
] as [string, Start][])(
  'connections last longer by a part of their time at most: %s',
  async (_, start) => {
    const port = await freePort();
    const limits = { maxConnectionDuration: '0.2s', maxConnectionDurationJitter: { value: 100 } };
    const filters = [hcm([OK], { commonHttpProtocolOptions: limits })];
    const proxy = await start(
      bootstrap([listener(port, [{ filters }], { accessLog: [stdoutLog('LASTED %DURATION%')] })], []),
    );
    await Promise.all(
      Array.from(
        { length: 24 },
        () =>
          new Promise<void>((resolve, reject) => {
            const socket = connect({ port, host: '127.0.0.1' });
            socket.on('error', reject);
            socket.on('close', () => resolve());
            socket.resume();
          }),
      ),
    );
    await proxy.stop();
    const lasted = Array.from(proxy.output().matchAll(/^LASTED (\d+)$/gm), ([, ms]) => Number(ms));
    expect(lasted).toHaveLength(24);
    expect(Math.min(...lasted)).toBeGreaterThan(190);
    expect(Math.max(...lasted) - Math.min(...lasted)).toBeGreaterThan(20);
  },
  30_000,
);
