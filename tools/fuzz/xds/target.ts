import { connect } from 'node:net';
import { Client, credentials, status, type StatusObject } from '@grpc/grpc-js';
import { GrpcXdsListener } from '@mizzen/control-plane/grpc/index.ts';
import { realClock } from '@mizzen/control-plane/grpc/testing/clock.ts';
import { XdsServer } from '@mizzen/control-plane/xds/server.ts';
import { configOf } from '@mizzen/control-plane/xds/test-config.ts';
import { TypeUrl } from '@mizzen/xds';
import { decode, encode } from '@mizzen/xds/binary/index.ts';
import { mutateBytes } from '../bytes.ts';
import type { Random } from '../random.ts';
import { type Input, type Target, withLess } from '../target.ts';
import { dictionary, mutateTree } from '../tree.ts';

/** The two variants of the protocol, and the socket itself. */
const METHODS = { world: 'StreamAggregatedResources', incremental: 'DeltaAggregatedResources' } as const;
type Method = keyof typeof METHODS;
const REQUESTS = {
  world: 'envoy.service.discovery.v3.DiscoveryRequest',
  incremental: 'envoy.service.discovery.v3.DeltaDiscoveryRequest',
} as const;
const SERVICE = '/envoy.service.discovery.v3.AggregatedDiscoveryService/';

const node = {
  id: 'n',
  cluster: 'web',
  metadata: { NAMESPACE: 'default', LABELS: { app: 'web' } },
  locality: { region: 'r' },
};
const types = Object.values(TypeUrl);
const SAMPLES: Readonly<Record<Method, readonly object[]>> = {
  world: types.flatMap((typeUrl) => [
    { node, typeUrl, resourceNames: ['a', '80', '*'] },
    { node, typeUrl, versionInfo: '1', responseNonce: '1', resourceNames: ['b'] },
    { typeUrl, responseNonce: '2', errorDetail: { code: 3, message: 'no' } },
  ]),
  incremental: types.flatMap((typeUrl) => [
    { node, typeUrl, resourceNamesSubscribe: ['*', 'a', '80'], initialResourceVersions: { a: '1', gone: '2' } },
    { node, typeUrl, resourceNamesUnsubscribe: ['a'], responseNonce: '1' },
    { typeUrl, responseNonce: '2', errorDetail: { code: 13, message: 'no' } },
  ]),
};
const words = dictionary([...SAMPLES.world, ...SAMPLES.incremental]);
/** How HTTP/2 begins: the client's preface and an empty SETTINGS frame. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.alloc(3),
  Buffer.from([4, 0, 0, 0, 0, 0]),
]);

function message(random: Random, method: Method): Uint8Array {
  const type = REQUESTS[method];
  const sample = random.pick(SAMPLES[method]);
  if (random.chance(0.5)) {
    try {
      return encode(type, mutateTree(random, sample, words) as object);
    } catch {
      // Not a request any more; its bytes are changed instead.
    }
  }
  const bytes = encode(type, sample);
  return random.chance(0.3) ? bytes : mutateBytes(random, bytes, encode(type, random.pick(SAMPLES[method])));
}

function make(random: Random): Input {
  if (random.chance(0.15)) {
    const bytes = random.chance(0.8)
      ? mutateBytes(random, PREFACE, PREFACE)
      : mutateBytes(random, new Uint8Array(), PREFACE);
    return { socket: Buffer.from(bytes).toString('base64') };
  }
  const method: Method = random.chance(0.5) ? 'world' : 'incremental';
  const messages = Array.from({ length: random.below(6) + 1 }, () => message(random, method));
  return { [method]: messages.map((each) => Buffer.from(each).toString('base64')).join('\n') };
}

/** A server with a small mesh, and a client of it; both as long as the thread runs. */
async function start(): Promise<{ port: number; client: Client; stop: () => Promise<void> }> {
  const server = new XdsServer({ clock: realClock });
  const mesh = configOf({ clusters: { a: 1, b: 1 }, endpoints: { a: 1, b: 1 }, routes: { '80': ['a'] } });
  server.commit(new Map([['n', mesh]]));
  const listener = new GrpcXdsListener({ bind: { host: '127.0.0.1', port: 0 }, server, clock: realClock });
  const port = await listener.listen();
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 50,
  });
  const stop = async (): Promise<void> => {
    client.close();
    await listener.close();
  };
  return { port, client, stop };
}
let started: ReturnType<typeof start> | undefined;

const raw = (bytes: Buffer): Buffer => bytes;

/** Sends messages on a call of their own; how the call ended, and what was answered. */
function call(
  client: Client,
  method: Method,
  messages: readonly Buffer[],
): Promise<{ end: StatusObject; answers: Buffer[] }> {
  return new Promise((done) => {
    const stream = client.makeBidiStreamRequest<Buffer, Buffer>(`${SERVICE}${METHODS[method]}`, raw, raw);
    const answers: Buffer[] = [];
    stream.on('data', (answer: Buffer) => answers.push(answer));
    stream.on('error', () => undefined);
    stream.on('status', (end) => done({ end, answers }));
    for (const each of messages) stream.write(each);
    stream.end();
  });
}

function socket(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((done) => {
    const connection = connect(port, '127.0.0.1', () => connection.end(bytes));
    connection.on('error', () => undefined);
    connection.on('close', () => done());
    connection.resume();
    // A server may wait for more where there is none.
    connection.setTimeout(200, () => connection.destroy());
  });
}

async function run(input: Input): Promise<void> {
  const { port, client } = await (started ??= start());
  for (const [kind, text] of Object.entries(input)) {
    if (kind === 'socket') {
      await socket(port, Buffer.from(text, 'base64'));
      continue;
    }
    const messages = text.split('\n').map((line) => Buffer.from(line, 'base64'));
    const { end } = await call(client, kind as Method, messages);
    // A request that the server cannot make sense of is the client's mistake, and has a code that says so.
    if (end.code === status.UNKNOWN || end.code === status.INTERNAL) {
      throw new Error(`a call ended with ${status[end.code]}: ${end.details}`);
    }
  }
  // Whatever came before, the next client is served.
  const type = TypeUrl.cluster;
  const good = encode(REQUESTS.world, { node, typeUrl: type });
  const { end, answers } = await call(client, 'world', [Buffer.from(good)]);
  const answer =
    answers[0] === undefined ? undefined : decode('envoy.service.discovery.v3.DiscoveryResponse', answers[0]);
  if ((answer?.['resources'] as readonly unknown[] | undefined)?.length !== 2) {
    throw new Error(`a good client is not served any more: ${status[end.code]} ${end.details}`);
  }
}

/** Mutated requests and bytes to a gRPC server, over real sockets. */
export const xds: Target = {
  make,
  run,
  smaller: withLess,
  async stop() {
    await (await started)?.stop();
    started = undefined;
  },
};
