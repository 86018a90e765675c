/**
 * What one hop costs without a kernel: CPU time per request of a proxy whose sockets are objects in memory, with nothing to
 * see, with each of access log, tracing, peer metadata and Istio's metrics, and with all of it. For those who look for what
 * costs: `--cpu-prof`, `--heap-prof` and the like show little else. Prints the best and the tenth part of many short rounds,
 * because others use this machine, too. Arguments: side (`client` or `server`), what (`off`, `on`, or some of
 * `log+trace+mx+stats`), seconds (3).
 */
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@mizzen/testkit';
import { commandLineOptions } from '../packages/proxy/src/process/command-line.ts';
import { compileFormat, DEFAULT_FORMAT } from '../packages/proxy/src/process/log-format.ts';
import { startStandalone } from '../packages/proxy/src/process/start-standalone.ts';
import { bootstrap, istioStats, peerMetadata, type Hop } from './lib/configs.ts';

const CONNECTIONS = 32;
const UPSTREAM = 9;
const COLLECTOR = 19;
const ROUND_MS = 25;
const WARM_MS = 1500;
const BODY = '{"product_id":"123","name":"Example Product","description":"A sample product.","price":29.99}';
const LINES = 'content-type: application/json\r\ncontent-length: ';
const ANSWER = `HTTP/1.1 200 OK\r\nserver: nginx\r\ndate: Mon, 30 Nov 2026 07:00:00 GMT\r\n${LINES}${BODY.length}\r\n`;

/** What a proxy needs of a socket. */
class MemorySocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 40_000;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 15_001;
  readonly writableLength = 0;
  readonly readableEnded = false;
  readonly connecting = false;
  writableEnded = false;
  destroyed = false;
  onWrite: (text: string | Buffer) => void = () => undefined;

  write(text: string | Buffer): boolean {
    this.onWrite(text);
    return true;
  }
  read(): null {
    return null;
  }
  isPaused(): boolean {
    return false;
  }
  pause(): this {
    return this;
  }
  resume(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  cork(): void {}
  uncork(): void {}
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
  destroySoon(): void {
    this.destroy();
  }
}

const [side = 'client', what = 'off', seconds = '3'] = process.argv.slice(2);
const sees = (part: string): boolean => what === 'on' || what.split('+').includes(part);
const folder = mkdtempSync(join(tmpdir(), 'mizzen-hop-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const listen = await freePort();
const upstreams: MemorySocket[] = [];
const servers: net.Server[] = [];
const createServer = net.createServer.bind(net);
Object.assign(net, {
  createServer: (...args: Parameters<typeof net.createServer>) => {
    const server = createServer(...args);
    servers.push(server);
    return server;
  },
  connect: ({ port }: { readonly port: number }) => {
    const socket = new MemorySocket();
    if (port === UPSTREAM) upstreams.push(socket);
    else
      socket.onWrite = () =>
        void setImmediate(() => socket.emit('data', Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')));
    process.nextTick(() => socket.emit('connect'));
    return socket;
  },
});
syncBuiltinESMExports();

const direction = side === 'client' ? 'OUTBOUND' : 'INBOUND';
const hop: Hop = {
  name: side,
  listen,
  upstream: UPSTREAM,
  direction,
  ...(sees('log') ? { accessLog: join(folder, 'log') } : {}),
  ...(sees('trace') ? { spans: { port: COLLECTOR, of: 'some' } } : {}),
  lastFilters: [...(sees('mx') ? [peerMetadata(direction)] : []), ...(sees('stats') ? [istioStats] : [])],
};
const config = join(folder, 'bootstrap.json');
writeFileSync(config, JSON.stringify(bootstrap(hop)));
void startStandalone({
  configPath: config,
  configYaml: undefined,
  mode: 'serve',
  node: {},
  drain: { time: 0, immediate: true },
  log: { level: 'warning', components: [], format: compileFormat(DEFAULT_FORMAT), path: undefined },
  adminAddressPath: undefined,
  commandLine: commandLineOptions({ 'config-path': config }),
  allowUnknownFields: false,
  statsTags: [],
  announce: false,
});
while (!servers.some(({ listening }) => listening)) await pause(10);
const server = servers.find(({ listening }) => listening)!;

/** Of the size that a sidecar's is. */
const metadata = Buffer.alloc(216, '\x0a\x00').toString('base64');
const peer = sees('mx')
  ? `x-envoy-peer-metadata-id: sidecar~127.0.0.1~other-0.bench~bench.svc\r\nx-envoy-peer-metadata: ${metadata}\r\n`
  : '';
const context = sees('trace') ? 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\n' : '';
const ofClient = `x-forwarded-proto: http\r\nx-request-id: 5b6e8a0e-0c7e-4a7e-8f5e-1f6a1f1f1f1f\r\n${peer}${context}`;
const request = Buffer.from(
  `GET /products/123 HTTP/1.1\r\nhost: 127.0.0.1:15001\r\n${side === 'client' ? '' : ofClient}\r\n`,
);
const answer = Buffer.from(`${ANSWER}${side === 'client' ? peer : ''}\r\n${BODY}`);

let answered = 0;
/** As a write to a real socket would, this makes bytes of texts. */
const bytes = Buffer.alloc(64 * 1024);
const clients = Array.from({ length: CONNECTIONS }, () => {
  const socket = new MemorySocket();
  socket.onWrite = (text) => {
    bytes.write(String(text), 'latin1');
    answered++;
  };
  server.emit('connection', socket);
  return socket;
});
const asked: MemorySocket[] = [];
for (const client of clients) client.emit('data', request);
while (upstreams.length < CONNECTIONS) await pause(10);
await pause(50);
for (const upstream of upstreams) {
  upstream.onWrite = (text) => {
    bytes.write(String(text), 'latin1');
    asked.push(upstream);
  };
  upstream.emit('data', answer);
}

/** CPU time per request, microseconds. */
async function cost(ms: number): Promise<number> {
  const until = performance.now() + ms;
  const answeredBefore = answered;
  const before = process.cpuUsage();
  while (performance.now() < until) {
    for (let i = 0; i < 20; i++) {
      for (const client of clients) client.emit('data', request);
      for (const upstream of asked.splice(0)) upstream.emit('data', answer);
    }
    await turn();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (answered - answeredBefore);
}

await cost(WARM_MS);
const rounds: number[] = [];
while (rounds.length < (Number(seconds) * 1000) / ROUND_MS) rounds.push(await cost(ROUND_MS));
rounds.sort((a, b) => a - b);
process.stdout.write(
  `${side}, ${what}: ${rounds[0]!.toFixed(2)} µs/request, a tenth below ${rounds[Math.floor(rounds.length / 10)]!.toFixed(2)}\n`,
);
process.exit();
