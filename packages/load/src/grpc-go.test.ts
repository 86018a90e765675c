import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, repositoryRoot } from '@mizzen/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadOf } from './testing/load.ts';

/** gRPC's server in Go, which nobody here wrote: its health service, found by its reflection. */

let server: ChildProcess;
let port: number;
let said = '';
beforeEach(async () => {
  const program = join(repositoryRoot, '.tools/peers/grpc-health');
  if (!existsSync(program)) throw new Error('the gRPC server is not there: npm run tools');
  port = await freePort();
  said = '';
  server = spawn(program, { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'pipe', 'inherit'] });
  server.stdout!.on('data', (data: Buffer) => (said += data.toString()));
  await expect.poll(() => said).toBe('ready\n');
});
afterEach(() => void server.kill('SIGKILL'));

test.each([1, 3])('what it answered is what was sent, over %s connections', async (connections) => {
  const load = loadOf(
    `
target: http://127.0.0.1:${port}
protocol: grpc
scenarios:
  shop:
    weight: 3
    steps: [{ call: grpc.health.v1.Health/Check, message: { service: shop }, expect: { json: { $.status: SERVING } } }]
  attic:
    steps: [{ call: grpc.health.v1.Health/Check, message: { service: attic }, expect: { json: { $.status: SERVING } } }]
  cellar:
    steps: [{ call: grpc.health.v1.Health/Check, message: { service: cellar }, expect: { status: NOT_FOUND } }]
`,
    { rate: 200, seconds: 2, connections },
  );
  await load.prepare();
  const { requests, steps } = await load.start();
  const sent = (scenario: string): number => steps.find((each) => each.scenario === scenario)!.sent;
  expect(requests).toMatchObject({ sent: 400, answered: 400, errors: sent('attic') });
  expect(requests.statuses).toEqual({ OK: sent('shop') + sent('attic'), NOT_FOUND: sent('cellar') });
  expect(sent('attic')).toBeGreaterThan(0);
  server.kill('SIGTERM');
  await once(server, 'close');
  expect(said).toBe('ready\n400\n');
});

test('a method that it does not have is said before anything is sent', async () => {
  const load = loadOf(
    `{ target: "http://127.0.0.1:${port}", protocol: grpc, scenarios: { a: { steps: [{ call: grpc.health.v1.Health/Chek }] } } }`,
  );
  await expect(load.prepare()).rejects.toThrow('no method `grpc.health.v1.Health/Chek`');
});
