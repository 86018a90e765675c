import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireTool } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LoggingEnvoy, startLoggingEnvoy } from './testing/envoy.ts';
import { type GreetServer, startGreetServer } from './testing/grpc-server.ts';
import { loadOf } from './testing/load.ts';

let greeter: GreetServer;
beforeAll(async () => {
  greeter = await startGreetServer({ reflection: false });
});
afterAll(() => greeter.stop());

/** Runs `scenarios` and returns the result with what Envoy logged, each line with how often. */
async function against(scenarios: (envoy: LoggingEnvoy) => string, options: Parameters<typeof loadOf>[1]) {
  const envoy = await startLoggingEnvoy(greeter.port);
  const load = loadOf(`target: http://127.0.0.1:${envoy.port}\n${scenarios(envoy)}`, options);
  await load.prepare();
  const result = await load.start();
  const logged: Record<string, number> = {};
  for (const line of await envoy.stop(result.requests.sent)) logged[line] = (logged[line] ?? 0) + 1;
  return { result, logged };
}

test('HTTP/1.1, HTTP/2 and gRPC at once: Envoy’s access log has every request that was sent', async () => {
  const proto = join(import.meta.dirname, 'testdata/greet.proto');
  const { result, logged } = await against(
    () => `
grpc: { proto: ${proto} }
scenarios:
  one: { protocol: http1, steps: [{ url: /one }, { url: /one, json: { a: 1 } }] }
  two: { protocol: http2, steps: [{ url: /two, method: PUT, body: x }] }
  call: { protocol: grpc, steps: [{ call: greet.Greeter/Hello, message: { userName: ana }, expect: { json: { $.text: hello ana } } }] }
  nobody: { protocol: grpc, steps: [{ call: greet.Greeter/Hello, message: { userName: nobody } }] }
`,
    { rate: 200, seconds: 2, arrival: 'poisson' },
  );
  const sent = (name: string): number =>
    result.steps.filter(({ scenario }) => scenario === name).reduce((sum, each) => sum + each.sent, 0);
  expect(logged).toEqual({
    'GET /one HTTP/1.1 200 -': sent('one') / 2,
    'POST /one HTTP/1.1 200 -': sent('one') / 2,
    'PUT /two HTTP/2 200 -': sent('two'),
    'POST /greet.Greeter/Hello HTTP/2 200 OK': sent('call'),
    'POST /greet.Greeter/Hello HTTP/2 200 NotFound': sent('nobody'),
  });
  expect(result.requests.errors).toBe(sent('nobody'));
  expect(greeter.greeted).toHaveLength(sent('call') + sent('nobody'));
});

test('chaos over HTTP/2: what Envoy logged is what was sent', async () => {
  const { result, logged } = await against(() => 'protocol: http2\nscenarios: { a: { steps: [{ url: /slow }] } }', {
    mode: 'chaos',
    rate: 100,
    seconds: 3,
    connections: 2,
  });
  expect(result.requests.aborted).toBeGreaterThan(0);
  expect(Object.values(logged).reduce((sum, count) => sum + count, 0)).toBe(result.requests.sent);
});

test.each(['http1', 'http2'])(
  '%s: percentiles agree with those of h2load beside it',
  async (protocol) => {
    const dir = mkdtempSync(join(tmpdir(), 'mizzen-h2load-'));
    const log = join(dir, 'log');
    let other: Promise<unknown> = Promise.resolve();
    const { result } = await against(
      ({ port }) => {
        const how =
          protocol === 'http1' ? ['--h1', '-c', '80', '--rps', '1.25'] : ['-c', '2', '-m', '50', '--rps', '50'];
        const args = [...how, '-n', '400', `--log-file=${log}`, `http://127.0.0.1:${port}/slow`];
        other = promisify(execFile)(requireTool('h2load', 'nghttp2-client'), args);
        return `protocol: ${protocol}\nscenarios: { a: { steps: [{ url: /slow }] } }`;
      },
      { rate: 100, seconds: 4, connections: protocol === 'http2' ? 2 : undefined },
    ).finally(() => other);
    const theirs = readFileSync(log, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => Number(line.split('\t')[2]) / 1000)
      .toSorted((a, b) => a - b);
    rmSync(dir, { recursive: true });
    expect(theirs.length).toBeGreaterThan(300);
    const { p50, p75 } = result.requests.latency!;
    // Buckets of a tenth of 600 ms; what is between the two is the noise of one machine.
    const bucket = (ms: number): number => Math.floor(Math.log(ms) / Math.log(1.1));
    for (const [ours, share] of [
      [p50, 0.5],
      [p75, 0.75],
    ] as const) {
      const their = theirs[Math.ceil(theirs.length * share) - 1]!;
      expect(Math.abs(bucket(ours) - bucket(their)), `${ours} and ${their}`).toBeLessThanOrEqual(2);
    }
  },
  30_000,
);
