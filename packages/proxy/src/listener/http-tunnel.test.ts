import { isDeepStrictEqual } from 'node:util';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { bootstrap, listener, staticCluster, tcpProxy } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';

const REPLIES: Readonly<Record<string, string>> = {
  ok: 'HTTP/1.1 200 OK\r\n\r\nhello',
  'a length': 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloMORE',
  chunks: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
  forbidden: 'HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\n\r\nbad',
  'no content': 'HTTP/1.1 204 No\r\n\r\nhello',
  'continue, created': 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n\r\nhello',
  garbage: 'garbage\r\n\r\n',
  nothing: '',
  ends: 'HTTP/1.1 200 OK\r\n\r\nhello',
};
/** Envoy 1.40 ends itself when the answer to a POST ends before the client does. */
const ENVOY_CRASHES = new Set(['post a length', 'post ends']);

const METHODS = {
  connect: { hostname: 'foo.%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%:443' },
  post: { hostname: '%REQUESTED_SERVER_NAME%:1', usePost: true, postPath: '/a?b' },
} as const;
type Method = keyof typeof METHODS;
const HEADERS = [
  { header: { key: 'X-From', value: 'b-%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%' } },
  { header: { key: 'x-none', value: '%REQUESTED_SERVER_NAME%' } },
  { header: { key: 'x-two', value: '1' } },
  { header: { key: 'x-two', value: '2' } },
];
const CASES = Object.keys(METHODS).flatMap((method) =>
  Object.keys(REPLIES).flatMap((reply) => [`${method} ${reply}`, `${method} ${reply}, half-closed by the client`]),
);

interface Seen {
  /** What the upstream got over all connections. */
  got: string;
  connections: number;
  /** What the client got. */
  back: string;
  /** The proxy ended its side towards the client. */
  ended: boolean;
}

const servers: Server[] = [];
let current: Seen & { reply: string };
let upstream = 0;
let theirs: Map<string, Seen>;
let ours: Map<string, Seen>;
let theirLog: string[];
let ourLog: string[];

afterAll(() => {
  for (const server of servers) server.close();
});

beforeAll(async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const seen = current;
    seen.connections++;
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const before = text;
      text += data.toString('latin1');
      seen.got += data.toString('latin1');
      if (before.includes('\r\n\r\n') || !text.includes('\r\n\r\n')) return;
      const reply = REPLIES[seen.reply]!;
      if (reply === '') return void socket.end();
      socket.write(reply);
      if (seen.reply === 'ends') setTimeout(() => socket.end(), 100);
    });
    socket.on('end', () => socket.end());
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  upstream = (server.address() as AddressInfo).port;
  [theirs, theirLog] = await observe(startEnvoy, (one) => !ENVOY_CRASHES.has(one.replace(/,.*half.*/, '')));
  [ours, ourLog] = await observe(startProxy, () => true);
  // A busy machine may be slower than the pauses here: what differs is seen again with longer ones.
  const differing = new Set(
    [...theirs].filter(([one, seen]) => !isDeepStrictEqual(seen, ours.get(one))).map(([one]) => one),
  );
  if (differing.size === 0) return;
  const again = (one: string): boolean => differing.has(one);
  for (const [one, seen] of (await observe(startEnvoy, again, 5))[0]) theirs.set(one, seen);
  for (const [one, seen] of (await observe(startProxy, again, 5))[0]) ours.set(one, seen);
}, 120_000);

async function observe(
  start: (config: object) => Promise<{ output(): string; stop(): Promise<void> }>,
  plays: (one: string) => boolean,
  patience = 1,
): Promise<[Map<string, Seen>, string[]]> {
  const ports: Record<string, number> = {};
  const listeners: object[] = [];
  for (const [method, tunnel] of Object.entries(METHODS)) {
    const port = (ports[method] = await freePort());
    const inlineString =
      'LOG %RESPONSE_FLAGS% %UPSTREAM_TRANSPORT_FAILURE_REASON% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_REQUEST_ATTEMPT_COUNT%\n';
    const more = {
      maxConnectAttempts: 2,
      accessLog: [
        {
          name: 'log',
          typedConfig: {
            '@type': 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
            logFormat: { textFormatSource: { inlineString } },
          },
        },
      ],
      tunnelingConfig: { ...tunnel, headersToAdd: HEADERS },
    };
    listeners.push(listener(port, [{ filters: [tcpProxy('up', more)] }]));
  }
  const proxy = await start(bootstrap(listeners, [staticCluster('up', [upstream])]));
  const seen = new Map<string, Seen>();
  for (const one of CASES.filter(plays)) {
    const [method, rest] = [one.split(' ')[0] as Method, one.slice(one.indexOf(' ') + 1)];
    current = { reply: rest.replace(/, half.*/, ''), got: '', connections: 0, back: '', ended: false };
    await play(ports[method]!, rest.includes(', half'), patience);
    const { reply: _, ...result } = current;
    seen.set(one, result);
  }
  await proxy.stop();
  const log = proxy
    .output()
    .split('\n')
    .filter((line) => line.startsWith('LOG'));
  return [seen, log];
}

async function play(port: number, half: boolean, patience: number): Promise<void> {
  const seen = current;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.on('data', (data) => (seen.back += data.toString('latin1')));
  socket.on('end', () => (seen.ended = true));
  // Bytes that Envoy has not read make its end a reset.
  let closing = false;
  socket.on('close', () => (seen.ended ||= !closing));
  socket.write('early');
  await pause(80 * patience);
  if (socket.writable && !seen.ended) socket.write('more');
  await pause(60 * patience);
  closing = !half && seen.reply !== 'ends';
  if (half) socket.end();
  else if (closing) socket.destroy();
  await pause(150 * patience);
  closing = true;
  socket.destroy();
  await pause(50 * patience);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

describe('a connection becomes the payload of a request as in Envoy', () => {
  test.each(CASES.filter((one) => !ENVOY_CRASHES.has(one.replace(/, half.*/, ''))))('%s', (one) => {
    expect(ours.get(one)).toEqual(theirs.get(one));
    expect(theirs.get(one)!.got).toMatch(/^(CONNECT foo\.127\.0\.0\.1:443|POST \/a\?b) HTTP\/1\.1\r\n/);
  });

  test('the log says why', () => {
    expect(ourLog.filter((line) => line.includes('UF'))).toEqual(theirLog.filter((line) => line.includes('UF')));
    expect(theirLog.some((line) => line.includes('tunnel_response:403'))).toBe(true);
  });

  test('the end of the answer to a POST ends the connection', () => {
    expect(ours.get('post a length')).toMatchObject({ back: 'hello', ended: true, connections: 1 });
    expect(ours.get('post ends')).toMatchObject({ back: 'hello', ended: true, connections: 1 });
  });
});
