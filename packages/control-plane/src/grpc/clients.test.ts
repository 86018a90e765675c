import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { TypeUrl } from '@mizzen/xds';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { XdsServer } from '../xds/server.ts';
import { configOf } from '../xds/test-config.ts';
import type { NodeConfig } from '../xds/types.ts';
import { LIMITS } from './limits.ts';
import { GrpcXdsListener } from './listener.ts';
import { Refused } from './options.ts';
import type { ConnectedProxy, GrpcXdsOptions } from './options.ts';
import { realClock } from './testing/clock.ts';
import { RawStream } from './testing/raw-client.ts';
import { field, textField } from './wire.ts';
import { WriteBudget } from './write-budget.ts';

const mesh = configOf({ clusters: { a: 1, b: 1 }, endpoints: { a: 1, b: 1 }, routes: { '80': ['a'] } });
let server: XdsServer;
let target: string;
let port: number;
let problems: string[];
let open: RawStream[];
let listeners: GrpcXdsListener[];

async function listen(options: Partial<GrpcXdsOptions> = {}): Promise<void> {
  const listener = new GrpcXdsListener({
    bind: { host: '127.0.0.1', port: 0 },
    server,
    clock: realClock,
    onProblem: (text) => problems.push(text),
    ...options,
  });
  port = await listener.listen();
  target = `127.0.0.1:${port}`;
  listeners.push(listener);
}

beforeEach(async () => {
  server = new XdsServer({ clock: realClock });
  server.commit(new Map([['n', mesh]]));
  [problems, open, listeners] = [[], [], []];
  await listen();
});
afterEach(async () => {
  for (const stream of open) stream.close();
  for (const listener of listeners) await listener.close();
});

function stream(): RawStream {
  const opened = new RawStream(target);
  open.push(opened);
  return opened;
}

/** A good client, which nothing that others do may disturb. */
async function bystander(): Promise<() => Promise<void>> {
  const good = stream();
  good.send({ node: 'n', typeUrl: TypeUrl.cluster });
  await expect.poll(() => good.responses.length).toBe(1);
  return async () => {
    good.send({ typeUrl: TypeUrl.cluster, nonce: good.responses.at(-1)?.nonce });
    const before = good.responses.length;
    server.commit(new Map([['n', configOf({ clusters: { z: before }, endpoints: {}, routes: {} })]]));
    await expect.poll(() => good.responses.length).toBeGreaterThan(before);
    server.commit(new Map([['n', mesh]]));
  };
}

test.each<readonly [string, (bad: RawStream) => void, number, RegExp]>([
  ['is not protobuf', (bad) => bad.call.write(Buffer.from([0xff, 0xff, 0xff])), status.INVALID_ARGUMENT, /cut short/],
  ['is not UTF-8', (bad) => bad.call.write(Buffer.from([0x22, 1, 0xff])), status.INVALID_ARGUMENT, /UTF-8/],
  ['has no node', (bad) => bad.send({ typeUrl: TypeUrl.cluster }), status.INVALID_ARGUMENT, /must say its node/],
  [
    'has a node that would drive a terminal',
    (bad) => bad.send({ node: 'n\u001b[2J', typeUrl: TypeUrl.cluster }),
    status.INVALID_ARGUMENT,
    /control characters/,
  ],
  [
    'has a node without id',
    (bad) => bad.send({ node: '', typeUrl: TypeUrl.cluster }),
    status.INVALID_ARGUMENT,
    /no id/,
  ],
  [
    'becomes another node',
    (bad) => {
      bad.send({ node: 'n', typeUrl: TypeUrl.cluster });
      bad.send({ node: 'm', typeUrl: TypeUrl.listener });
    },
    status.INVALID_ARGUMENT,
    /cannot change/,
  ],
  ['has no type', (bad) => bad.send({ node: 'n', typeUrl: '' }), status.INVALID_ARGUMENT, /no type/],
  [
    'asks for names with parameters',
    (bad) => bad.call.write(Buffer.concat([...field(2, ...textField(1, 'n')), ...field(7, Buffer.alloc(0))])),
    status.INVALID_ARGUMENT,
    /resource locators/,
  ],
  [
    'is too large',
    (bad) => bad.call.write(Buffer.alloc(LIMITS.requestBytes + 1)),
    status.RESOURCE_EXHAUSTED,
    /larger than max/,
  ],
  [
    'has a name that is too long',
    (bad) => bad.send({ node: 'n', typeUrl: TypeUrl.endpoint, names: ['x'.repeat(LIMITS.nameLength + 1)] }),
    status.INVALID_ARGUMENT,
    /too long/,
  ],
  [
    'has too many names',
    (bad) =>
      bad.send({
        node: 'n',
        typeUrl: TypeUrl.endpoint,
        names: Array.from({ length: LIMITS.names + 1 }, (_, i) => `${i}`),
      }),
    status.INVALID_ARGUMENT,
    /too many/,
  ],
  [
    'follows too many names, a type at a time',
    (bad) => {
      const names = Array.from({ length: LIMITS.names - 1 }, (_, i) => `${i}`);
      bad.send({ node: 'n', typeUrl: TypeUrl.endpoint, names });
      bad.send({ node: 'n', typeUrl: TypeUrl.route, names: ['p', 'q'] });
    },
    status.RESOURCE_EXHAUSTED,
    /too many/,
  ],
  [
    'has metadata without end',
    (bad) => bad.send({ node: 'n', metadata: Buffer.alloc(LIMITS.metadataBytes + 1), typeUrl: TypeUrl.cluster }),
    status.INVALID_ARGUMENT,
    /metadata of the node is too large/,
  ],
  [
    'has metadata that is none',
    (bad) => bad.send({ node: 'n', metadata: Buffer.from([0xff, 0xff]), typeUrl: TypeUrl.cluster }),
    status.INVALID_ARGUMENT,
    /cannot be read/,
  ],
])('a request that %s ends its stream and no other', async (_, send, code, reason) => {
  const undisturbed = await bystander();
  const bad = stream();
  send(bad);
  const ended = await bad.status();
  expect([ended.code, ended.details]).toEqual([code, expect.stringMatching(reason)]);
  await undisturbed();
});

test('bytes that are not HTTP/2 end their connection and no other', async () => {
  const undisturbed = await bystander();
  for (const text of [
    'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
    '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0',
  ]) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(text);
    await new Promise<void>((done) => socket.once('close', () => done()));
  }
  await undisturbed();
});

test('a client that does not read costs a bounded amount of memory, and gets the newest state when it reads', async () => {
  const big = (revision: number): NodeConfig => ({
    ...mesh,
    clusters: [{ name: 'a', altStatName: 'x'.repeat(3_000_000), connectTimeout: `${revision}s` }],
    endpoints: [{ clusterName: 'a', policy: { overprovisioningFactor: revision } }],
  });
  server.commit(new Map([['n', big(1)]]));
  const slow = stream();
  slow.call.pause();
  slow.send({ node: 'n', typeUrl: TypeUrl.cluster });
  slow.send({ typeUrl: TypeUrl.endpoint, names: ['a'] });
  await expect.poll(() => server.status()[0]?.connected).toBe(true);
  // Requests go on although responses are not read.
  for (let revision = 2; revision < 200; revision++) {
    server.commit(new Map([['n', big(revision)]]));
    slow.send({ typeUrl: TypeUrl.secret, names: [`s${revision}`] });
  }
  slow.call.resume();
  const answer = (typeUrl: string): void => {
    const nonce = slow.responses.findLast((each) => each.typeUrl === typeUrl)?.nonce;
    if (nonce !== undefined) slow.send({ typeUrl, nonce, ...(typeUrl === TypeUrl.endpoint ? { names: ['a'] } : {}) });
  };
  await expect
    .poll(() => {
      answer(TypeUrl.cluster);
      answer(TypeUrl.endpoint);
      return server.status()[0]?.types;
    })
    .toMatchObject({ cluster: 'synced', endpoint: 'synced' });
  expect(slow.responses.filter((each) => each.typeUrl === TypeUrl.cluster).length).toBeLessThan(5);
});

/** A way to the server on which responses get stuck until it is opened: none of them is read to its end. */
async function stuckWay(): Promise<{ readonly target: string; readonly open: () => void; readonly close: () => void }> {
  let isOpen = false;
  const sockets = new Set<Socket>();
  const opening: (() => void)[] = [];
  const relay = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => undefined));
    client.pipe(upstream);
    let passed = 0;
    upstream.on('data', (bytes: Buffer) => {
      passed += bytes.length;
      // The settings of the connection get through.
      if (isOpen || passed < 2000) return void client.write(bytes);
      upstream.pause();
      opening.push(() => {
        client.write(bytes);
        upstream.resume();
      });
    });
  });
  await new Promise<void>((done) => relay.listen(0, '127.0.0.1', done));
  return {
    target: `127.0.0.1:${(relay.address() as AddressInfo).port}`,
    open: () => {
      isOpen = true;
      for (const each of opening) each();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      relay.close();
    },
  };
}

test('clients that do not read hold up the others for a while only', async () => {
  const clock = new ManualClock();
  const budget = new WriteBudget({ clock, bytes: 8_000_000, patience: 1000 });
  await listen({ budget });
  const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
  const big = { ...mesh, clusters: [{ name: 'a', altStatName: 'x'.repeat(3_000_000) }] };
  server.commit(new Map(names.map((name) => [name, big])));
  const way = await stuckWay();
  const ask = (client: RawStream, node: string): RawStream => {
    open.push(client);
    client.send({ node, typeUrl: TypeUrl.cluster });
    return client;
  };
  const answers = (clients: readonly RawStream[]): number[] => clients.map(({ responses }) => responses.length);
  const full = (): boolean => !budget.hasRoom(() => undefined);
  const stuck = names.slice(0, 6).map((name) => ask(new RawStream(way.target), name));
  await expect.poll(full).toBe(true);
  const others = names.slice(6).map((name) => ask(new RawStream(target), name));
  await expect.poll(() => server.status().filter((each) => each.connected).length).toBe(12);
  await new Promise((done) => setTimeout(done, 200));
  expect([full(), ...answers(others)]).toEqual([true, 0, 0, 0, 0, 0, 0]);
  await expect
    .poll(() => {
      clock.advance(1000);
      return answers(others);
    })
    .toEqual([1, 1, 1, 1, 1, 1]);
  expect(answers(stuck)).toEqual([0, 0, 0, 0, 0, 0]);
  way.open();
  await expect.poll(() => answers(stuck)).toEqual([1, 1, 1, 1, 1, 1]);
  way.close();
});

test('a flood of requests waits in the client, and nobody else waits for it', async () => {
  const undisturbed = await bystander();
  const flood = stream();
  flood.send({ node: 'n', typeUrl: TypeUrl.cluster });
  let handled = 0;
  for (let i = 0; i < LIMITS.requestBurst * 3; i++) {
    flood.call.write(Buffer.concat([...textField(4, TypeUrl.route), ...textField(3, `r${i}`)]), () => handled++);
  }
  await undisturbed();
  await undisturbed();
  expect(server.status()[0]?.connected).toBe(true);
  flood.close();
});

test('whoever may not be the node it says it is gets the reason', async () => {
  await listen({
    authorize: (node) => {
      if (node.id === 'n') return {};
      throw new Refused(status.PERMISSION_DENIED, `\`${node.id}\` is not yours`);
    },
  });
  await expect.poll(() => listeners.length).toBe(2);
  const refused = stream();
  refused.send({ node: 'm', typeUrl: TypeUrl.cluster });
  expect(await refused.status()).toMatchObject({ code: status.PERMISSION_DENIED, details: '`m` is not yours' });
  const allowed = stream();
  allowed.send({ node: 'n', typeUrl: TypeUrl.cluster });
  await expect.poll(() => allowed.responses.map((each) => each.resources)).toEqual([2]);
});

test('requests that come while it is decided wait in order', async () => {
  const gone: ConnectedProxy[] = [];
  await listen({
    authorize: async () => {
      await new Promise((done) => setTimeout(done, 50));
      return {};
    },
    onGone: (proxy) => gone.push(proxy),
  });
  const early = stream();
  early.send({ node: 'n', typeUrl: TypeUrl.cluster });
  early.send({ typeUrl: TypeUrl.secret, names: ['default'] });
  await expect.poll(() => early.responses.map((each) => each.typeUrl)).toEqual([TypeUrl.cluster, TypeUrl.secret]);
  early.close();
  await expect.poll(() => gone.map((each) => each.key)).toEqual(['n']);
});

test('the reason of a refusal does not drive the terminal that it is shown on', async () => {
  const bad = stream();
  bad.send({ node: 'n', typeUrl: TypeUrl.cluster });
  await expect.poll(() => bad.responses.length).toBe(1);
  bad.send({ typeUrl: TypeUrl.cluster, nonce: bad.responses[0]?.nonce, error: 'no\u001b[2J\u009b1m' });
  const messages = (): readonly string[] => server.status().flatMap((each) => each.refusals.map((r) => r.message));
  for (let next = 1; ; next++) {
    await expect.poll(() => messages().length > 0 || bad.responses.length > next).toBe(true);
    if (messages().length > 0) break;
    bad.send({ typeUrl: TypeUrl.cluster, nonce: bad.responses[next]?.nonce, error: 'no\u001b[2J\u009b1m' });
  }
  expect(messages()[0]).toBe('no\uFFFD[2J\uFFFD1m');
});

test('a resource that does not fit Envoy’s schema is refused here, and the others go on', async () => {
  const odd = { name: 'odd', connectTimeout: 'soon' };
  server.commit(new Map([['n', { ...mesh, clusters: [...mesh.clusters, odd] }]]));
  const client = stream();
  client.send({ node: 'n', typeUrl: TypeUrl.cluster });
  await expect.poll(() => client.responses.map((each) => each.resources)).toEqual([2]);
  client.send({ typeUrl: TypeUrl.cluster, nonce: client.responses[0]?.nonce });
  await expect.poll(() => server.status()[0]?.refusals).toMatchObject([{ resource: 'odd' }]);
});

test('no more proxies connect than may, and one that goes makes room', async () => {
  await listen({ calls: 2 });
  const [first, second] = [stream(), stream()];
  for (const each of [first, second]) each.send({ node: 'n', typeUrl: TypeUrl.cluster });
  await expect.poll(() => [first, second].every((each) => each.responses.length > 0)).toBe(true);
  const third = stream();
  third.send({ node: 'n', typeUrl: TypeUrl.cluster });
  expect((await third.status()).code).toBe(status.RESOURCE_EXHAUSTED);
  first.close();
  const served = async (): Promise<boolean> => {
    const again = stream();
    again.send({ node: 'n', typeUrl: TypeUrl.cluster });
    let over = false;
    void again.status().then(() => (over = true));
    await expect.poll(() => over || again.responses.length > 0).toBe(true);
    return !over;
  };
  await expect.poll(served).toBe(true);
});
