import { Agent, createServer, request, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '@mizzen/testkit';
import { hcm, listener, routeTo, socketAddress } from './testing/bootstraps.ts';
import { TestControl, TestSupervisor } from './testing/control.ts';

const NODE = 'sidecar~127.0.0.1~test.default~default.svc.cluster.local';
const backends: Server[] = [];
const backendPort = (index: number): number => (backends[index]!.address() as AddressInfo).port;

beforeAll(async () => {
  for (let i = 0; i < 3; i++) {
    const backend = createServer((_request, response) => setTimeout(() => response.end(String(i)), 3));
    await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
    backends.push(backend);
  }
});
afterAll(() => {
  for (const backend of backends) {
    backend.closeAllConnections();
    backend.close();
  }
});

const ads = { ads: {}, resourceApiVersion: 'V3' };
const edsCluster = (name: string): object => ({
  name,
  type: 'EDS',
  connectTimeout: '2s',
  edsClusterConfig: { edsConfig: ads },
});
const assignment = (clusterName: string, ...indexes: number[]): object => ({
  clusterName,
  endpoints: [{ lbEndpoints: indexes.map((index) => ({ endpoint: { address: socketAddress(backendPort(index)) } })) }],
});
const routes = (cluster: string): object => ({
  name: 'routes',
  virtualHosts: [{ name: 'all', domains: ['*'], routes: [routeTo(cluster)] }],
});
const httpListener = (port: number, more: object = {}): object =>
  listener(port, [
    { filters: [hcm([], { routeConfig: undefined, rds: { routeConfigName: 'routes', configSource: ads }, ...more })] },
  ]);

let control: TestControl;
let supervisor: TestSupervisor;
let port = 0;

beforeEach(async () => {
  control = new TestControl();
  await control.listen();
  supervisor = new TestSupervisor();
  port = await freePort();
  await supervisor.message('hello');
  supervisor.send({ type: 'configure', xds: control.path });
});
afterEach(async () => {
  supervisor.child.kill('SIGKILL');
  await supervisor.exited;
  await control.close();
});

async function startNode(): Promise<void> {
  control.set('cluster', 'one', edsCluster('one'));
  control.set('endpoint', 'one', assignment('one', 0, 1));
  control.set('listener', 'http', { ...httpListener(port), name: 'http' });
  control.set('route', 'routes', routes('one'));
  supervisor.send({ type: 'start', node: NODE, metadata: { NAMESPACE: 'default' } });
  await supervisor.message('ready');
}

function ask(agent: Agent | false = false): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ port, host: '127.0.0.1', agent }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
    });
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}

/** Requests on kept connections until told to stop; the answers and how often each came. */
function load(connections: number): () => Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let going = true;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const workers = Array.from({ length: connections }, async () => {
    while (going) {
      const answer = await ask(agent);
      counts[answer] = (counts[answer] ?? 0) + 1;
    }
  });
  return async () => {
    going = false;
    await Promise.all(workers);
    agent.destroy();
    return counts;
  };
}
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('a proxy that follows its control process', () => {
  test('endpoints come and go under load without a failed request', async () => {
    await startNode();
    const stop = load(8);
    const sets = [[0], [0, 1, 2], [1], [2, 1], [2], [0, 1]];
    for (let i = 0; i < 18; i++) {
      control.set('endpoint', 'one', assignment('one', ...sets[i % sets.length]!));
      await pause(50);
    }
    const counts = await stop();
    expect(Object.keys(counts).toSorted()).toEqual(['200 0', '200 1', '200 2']);
  }, 60_000);

  test('a new cluster takes traffic only once its endpoints are known, and the old one goes without a failure', async () => {
    await startNode();
    const stop = load(4);
    for (let i = 0; i < 6; i++) {
      const [from, to] = i % 2 === 0 ? ['one', 'two'] : ['two', 'one'];
      control.set('cluster', to!, edsCluster(to!));
      control.set('route', 'routes', routes(to!));
      await pause(30);
      control.set('endpoint', to!, assignment(to!, i % 3));
      await pause(60);
      control.remove('cluster', from!);
      control.remove('endpoint', from!);
      await pause(20);
    }
    const counts = await stop();
    expect(Object.keys(counts).filter((answer) => !answer.startsWith('200 '))).toEqual([]);
  }, 20_000);

  test('listeners and clusters are replaced under load without a failed request', async () => {
    await startNode();
    const stop = load(12);
    for (let i = 0; i < 40; i++) {
      control.set('listener', 'http', { ...httpListener(port, { serverName: `server-${i}` }), name: 'http' });
      await pause(12);
      control.set('cluster', 'one', { ...edsCluster('one'), connectTimeout: `${(i % 9) + 1}s` });
      await pause(12);
    }
    const counts = await stop();
    expect(Object.keys(counts).toSorted()).toEqual(['200 0', '200 1']);
  }, 20_000);

  test('what is refused is named and the last good version stays', async () => {
    await startNode();
    control.set('cluster', 'one', { ...edsCluster('one'), lbPolicy: 'NO_SUCH_POLICY' });
    control.set('route', 'routes', {
      name: 'routes',
      virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: {}, route: { cluster: 'one' } }] }],
    });
    await pause(100);
    expect(control.errors.map(({ resource }) => resource).toSorted()).toEqual(['one', 'routes']);
    expect(await ask()).toMatch(/^200/);
  });

  test('the control process dies and comes back: nothing is lost, only what changed is sent', async () => {
    await startNode();
    const stop = load(4);
    await control.die();
    await pause(300);
    control.requests.length = 0;
    control.set('endpoint', 'one', assignment('one', 2));
    await control.listen();
    await pause(1500);
    expect(await ask()).toBe('200 2');
    const counts = await stop();
    expect(Object.keys(counts).filter((answer) => !answer.startsWith('200 '))).toEqual([]);
    const again = control.requests.filter(({ subscribe }) => subscribe !== undefined);
    expect(again.length).toBeGreaterThanOrEqual(4);
    expect(again.every(({ initialResourceVersions }) => Object.keys(initialResourceVersions ?? {}).length > 0)).toBe(
      true,
    );
    expect(again[0]!.metadata).toEqual({ NAMESPACE: 'default' });
  }, 20_000);

  test('a taken address is reported, and bound as soon as it is free', async () => {
    const taken = createTcpServer();
    await new Promise<void>((done) => taken.listen(port, '127.0.0.1', done));
    control.set('listener', 'http', { ...httpListener(port), name: 'http' });
    control.set('route', 'routes', routes('one'));
    supervisor.send({ type: 'start', node: NODE, metadata: {} });
    expect(await supervisor.message('bind-failed')).toMatchObject({
      node: NODE,
      listener: 'http',
      address: '127.0.0.1',
      port,
      message: 'address already in use',
    });
    expect(supervisor.messages.some(({ type }) => type === 'ready')).toBe(false);
    await new Promise((done) => taken.close(done));
    await supervisor.message('ready');
    expect(await ask()).toBe('503 ');
  });

  test('counts requests once a second, stops a node after its requests, and goes with its parent', async () => {
    await startNode();
    for (let i = 0; i < 5; i++) await ask();
    const counts = await supervisor.message('counts', ({ nodes }) =>
      nodes.some(({ outboundRequests }) => outboundRequests === 5),
    );
    expect(counts.nodes[0]).toMatchObject({ node: NODE, inboundRequests: 0, outboundErrors: 0 });
    const traffic = await supervisor.message('traffic', () => true);
    const [sent] = traffic.nodes[0]!.clusters;
    expect([traffic.nodes[0]!.node, sent!.cluster, sent!.unsent]).toEqual([NODE, 'one', 0]);
    expect(sent!.hosts.reduce((sum, { requests }) => sum + requests, 0)).toBe(5);
    expect(sent!.times.reduce((sum, [, count]) => sum + count, 0)).toBe(5);
    expect(sent!.hosts.every(({ errors, tls }) => errors === 0 && !tls)).toBe(true);
    const stop = load(4);
    await pause(100);
    supervisor.send({ type: 'stop', node: NODE, drainMs: 2000 });
    await supervisor.message('stopped');
    const answers = Object.keys(await stop()).filter((answer) => !answer.startsWith('200 '));
    expect(answers.every((answer) => answer.includes('ECONNREFUSED'))).toBe(true);
    supervisor.child.disconnect();
    expect(await supervisor.exited).toBe(0);
  });
});
