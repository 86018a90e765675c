import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromWorkload } from './lib/from-workload.ts';
import { up, type Mesh } from './lib/mesh.ts';
import { samples } from './lib/metrics.ts';
import { descendants } from './lib/processes.ts';
import { folder, service } from './lib/system.ts';

/**
 * Numbers agree to the last request: what `mizzen load` sent is what the client's access log has, what metrics of the source
 * count, and what those of destinations count. Attempts, which only destinations see, are as many as the client's log says.
 */

const CUTTER = `import { createServer } from 'node:http';
createServer((request) => request.socket.destroy()).listen(Number(process.env.PORT), '127.0.0.1');
`;
const RULES = `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: books }
spec:
  hosts: [books]
  http:
    - match: [{ uri: { prefix: /status } }]
      retries: { attempts: 2, retryOn: 5xx }
      route: [{ destination: { host: books } }]
    - match: [{ uri: { prefix: /mirrored } }]
      route: [{ destination: { host: books } }]
      mirrors: [{ destination: { host: shadow }, percentage: { value: 100 } }]
    - retries: { attempts: 0 }
      route: [{ destination: { host: books } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: cutter }
spec:
  hosts: [cutter]
  http: [{ retries: { attempts: 0 }, route: [{ destination: { host: cutter } }] }]
`;
const MESH_CONFIG = `
defaultProviders: { metrics: [prometheus] }
accessLogFile: /dev/stdout
accessLogFormat: "%RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %UPSTREAM_CLUSTER% %DURATION%\\n"
`;

interface Load {
  readonly requests: {
    readonly sent: number;
    readonly errors: number;
    readonly statuses: Readonly<Record<string, number>>;
    readonly causes: Readonly<Record<string, number>>;
    readonly latency: Readonly<Record<'p50' | 'p90' | 'p99', number>>;
  };
}
interface Totals {
  readonly source: number;
  readonly destination: number;
  readonly shadow: number;
  readonly lines: number;
  /** Lines of the server's log. */
  readonly arrived: number;
  readonly attempts: number;
}

describe.each(['embedded', 'envoy'] as const)('numbers on %s', (engine) => {
  const system = folder({
    'mesh.yaml': ['client', 'books', 'shadow', 'cutter'].map((name) => service(name)).join('---\n') + RULES,
    'cutter.mjs': CUTTER,
    'mizzen.yaml': `workloads:\n  cutter-v1: { run: [${JSON.stringify(process.execPath)}, cutter.mjs] }\n`,
    'mesh.txt': MESH_CONFIG,
  });
  let mesh: Mesh;
  beforeAll(async () => {
    mesh = await up([system.path, '--mesh-config', join(system.path, 'mesh.txt')], { engine });
  });
  afterAll(async () => {
    await mesh?.stop();
    system.remove();
  });

  async function metricsOf(workload: string): Promise<string> {
    const targets = JSON.parse((await mesh.api('/api/prometheus/targets')).body) as {
      targets: string[];
      labels: Record<string, string>;
    }[];
    const [place] = targets.find(({ labels }) => labels['workload'] === workload)!.targets;
    return (await fetch(`http://${place}/stats/prometheus`)).text();
  }
  async function count(workload: string, reporter: 'source' | 'destination'): Promise<number> {
    return samples(await metricsOf(workload), 'istio_requests_total')
      .filter((each) => each['reporter'] === reporter)
      .reduce((sum, { value }) => sum + Number(value), 0);
  }
  function accessLog(workload: string): string[] {
    const path = join(mesh.stateDir, 'logs', `default.${workload}.access.log`);
    return existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : [];
  }
  /** Of `server`, and of what its clients saw. */
  async function totals(server: string): Promise<Totals> {
    const lines = accessLog('client-v1');
    return {
      source: await count('client-v1', 'source'),
      destination: await count(server, 'destination'),
      shadow: await count('shadow-v1', 'destination'),
      lines: lines.length,
      arrived: accessLog(server).length,
      attempts: lines.reduce((sum, line) => sum + Number(line.split(' ')[2]), 0),
    };
  }
  const less = (a: Totals, b: Totals): Totals =>
    Object.fromEntries(
      Object.entries(a).map(([key, value]) => [key, value - b[key as keyof Totals]]),
    ) as unknown as Totals;
  async function load(url: string, ...args: string[]): Promise<Load['requests']> {
    const words = ['load', '-q', '-o', 'json', '--from', 'client-v1', '-r', '150', '-d', '0.6', ...args, url];
    const { stdout, stderr } = await mesh.mizzen(...words);
    expect(stdout, stderr).not.toBe('');
    return (JSON.parse(stdout) as Load).requests;
  }
  /** How it has grown since `before`. */
  const since = async (server: string, before: Totals): Promise<Totals> => less(await totals(server), before);

  it.each([
    { what: 'answers', url: 'http://books:8080/', attempts: 1, mirrored: 0, status: '200' },
    { what: 'retries', url: 'http://books:8080/status/503', attempts: 3, mirrored: 0, status: '503' },
    { what: 'mirrors', url: 'http://books:8080/mirrored', attempts: 1, mirrored: 1, status: '200' },
    { what: 'resets', url: 'http://cutter:8080/', attempts: 1, mirrored: 0, status: '503' },
  ])('agree on $what', async ({ url, attempts, mirrored, status }) => {
    const server = url.includes('cutter') ? 'cutter-v1' : 'books-v1';
    const before = await totals(server);
    const { sent, statuses } = await load(url);
    expect(sent).toBeGreaterThan(60);
    expect(statuses).toEqual({ [status]: sent });
    await expect
      .poll(() => since(server, before))
      .toEqual({
        source: sent,
        lines: sent,
        attempts: sent * attempts,
        destination: sent * attempts,
        arrived: sent * attempts,
        shadow: sent * mirrored,
      });
  });

  it('agree on requests whose clients went away, some of them before they had arrived', async () => {
    const before = await totals('books-v1');
    const { sent, errors } = await load('http://books:8080/delay/1', '--timeout', '200ms');
    expect(errors).toBe(sent);
    let now = before;
    /** What is still on its way has arrived when nothing has changed for a second. */
    const settled = async (): Promise<Totals & { readonly unequal: number; readonly changes: boolean }> => {
      const last = now;
      now = await since('books-v1', before);
      const changes = JSON.stringify(now) !== JSON.stringify(last);
      return { ...now, unequal: now.destination - now.arrived, changes };
    };
    await expect
      .poll(settled, { interval: 1000 })
      .toMatchObject({ source: sent, lines: sent, attempts: sent, unequal: 0, changes: false });
    expect(now.destination).toBeGreaterThan(0);
    expect(now.destination).toBeLessThanOrEqual(sent);
  });

  it('agree on requests within a tunnel to the sidecar’s own proxy port, which is none itself', async () => {
    const before = await totals('books-v1');
    const { pods } = JSON.parse((await mesh.api('/api/workloads/default/client-v1')).body) as {
      pods: { httpProxy: string }[];
    };
    const [host, port] = pods[0]!.httpProxy.split(':') as [string, string];
    for (let i = 0; i < 2; i++) await tunnelled(Number(port), host, 'books:8080', 3);
    const six = { source: 6, lines: 6, attempts: 6, destination: 6, arrived: 6, shadow: 0 };
    await expect.poll(() => since('books-v1', before)).toEqual(six);
    // Nor is the tunnel a request a little later.
    await new Promise((done) => setTimeout(done, 500));
    expect(await since('books-v1', before)).toEqual(six);
  });

  it('agree on how long requests take', async () => {
    /** Bounds of buckets, each with how many requests took no longer. */
    const read = async (): Promise<Map<number, number>> =>
      new Map(
        samples(await metricsOf('client-v1'), 'istio_request_duration_milliseconds_bucket')
          .filter((each) => each['response_code'] === '200')
          .reduce((sums, { le = '', value }) => {
            const bound = le === '+Inf' ? Infinity : Number(le);
            return sums.set(bound, (sums.get(bound) ?? 0) + Number(value));
          }, new Map<number, number>()),
      );
    const before = await read();
    const logged = accessLog('client-v1').length;
    const { sent, latency } = await load('http://books:8080/delay/0.3');
    const counted = async (bound: number): Promise<number> => (await read()).get(bound)! - (before.get(bound) ?? 0);
    await expect.poll(() => counted(Infinity)).toBe(sent);
    await expect.poll(() => accessLog('client-v1').length).toBe(logged + sent);
    const durations = accessLog('client-v1')
      .slice(logged)
      .map((line) => Number(line.split(' ').at(-1)))
      .toSorted((a, b) => a - b);
    expect(durations[0]).toBeGreaterThanOrEqual(300);
    const within = (bound: number): number => durations.filter((each) => each <= bound).length;
    for (const bound of (await read()).keys()) {
      // Histograms know two digits of a value.
      const many = await counted(bound);
      expect(many, `${bound}`).toBeGreaterThanOrEqual(within(bound * 0.95));
      expect(many, `${bound}`).toBeLessThanOrEqual(within(bound * 1.05));
    }
    // Whoever sent them has waited as long, or longer.
    for (const [share, value] of [
      [0.5, latency.p50],
      [0.9, latency.p90],
      [0.99, latency.p99],
    ] as const)
      expect(value, `${share}`).toBeGreaterThanOrEqual(durations[Math.ceil(share * sent) - 1]! * 0.95);
  });

  it('go on after the death of a proxy: its own begin again, those made of what it logged do not', async () => {
    const before = await totals('books-v1');
    const ofProxy = (command: string): boolean =>
      engine === 'envoy'
        ? /envoy -c \S*client-v1\S*\.json/.test(command)
        : command.includes('proxy/src/process/main.ts');
    const proxies = descendants(mesh.pid).filter(({ command }) => ofProxy(command));
    expect(proxies).toHaveLength(1);
    process.kill(proxies[0]!.pid, 'SIGKILL');
    const client = await fromWorkload(mesh, 'default', 'client-v1');
    let answered = 0;
    const status = async (): Promise<number | undefined> => {
      const answer = await client.get('http://books:8080/').catch(() => undefined);
      if (answer !== undefined) answered++;
      return answer?.status;
    };
    await expect.poll(status).toBe(200);
    const { sent } = await load('http://books:8080/');
    const all = sent + answered;
    const kept = engine === 'envoy' ? before : { source: 0, destination: 0 };
    await expect.poll(() => totals('books-v1')).toMatchObject({ source: kept.source + all, lines: before.lines + all });
    // Envoys send what they log once a second.
    await expect
      .poll(async () => {
        const { destination, arrived } = await totals('books-v1');
        return destination - kept.destination - (arrived - before.arrived);
      })
      .toBe(0);
  });
});

/** As many requests, one after the other, on a connection for which a proxy is asked by CONNECT. */
async function tunnelled(port: number, host: string, to: string, requests: number): Promise<void> {
  const socket = connect(port, host);
  let got = '';
  socket.on('data', (data: Buffer) => (got += data.toString('latin1')));
  const answered = async (text: string, request: string): Promise<void> => {
    got = '';
    socket.write(request);
    await expect.poll(() => got).toContain(text);
  };
  await answered('\r\n\r\n', `CONNECT ${to} HTTP/1.1\r\nhost: ${to}\r\n\r\n`);
  for (let i = 0; i < requests; i++) await answered('}', `GET / HTTP/1.1\r\nhost: ${to}\r\n\r\n`);
  socket.destroy();
}
