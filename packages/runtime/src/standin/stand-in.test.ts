import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkGrpcHealth } from '../kubelet/grpc-health.ts';
import { PortAllocator } from '../kubelet/ports.ts';
import { startStandIn, type StandIn } from './stand-in.ts';

const run = promisify(execFile);
let standIn: StandIn;
let port = 0;

beforeAll(async () => {
  port = await new PortAllocator(40).allocate();
  standIn = await startStandIn({
    id: 'x',
    pod: 'reviews-v2-0',
    namespace: 'shop',
    workload: 'reviews-v2',
    container: 'app',
    version: 'v2',
    serviceAccount: 'reviews',
    address: '127.0.0.1',
    ports: { 9080: port },
  });
});
afterAll(() => standIn.close());

async function curl(...args: string[]): Promise<string> {
  const { stdout } = await run('curl', ['-sS', '--max-time', '30', ...args]);
  return stdout;
}

test('says who it is and what it received, over HTTP/1.1 and HTTP/2', async () => {
  const expected = {
    standIn: true,
    pod: 'reviews-v2-0',
    workload: 'reviews-v2',
    namespace: 'shop',
    version: 'v2',
    serviceAccount: 'reviews',
    port: 9080,
    method: 'POST',
    path: '/a?b=1',
    bodySize: 5,
    headers: { 'x-one': '1' },
  };
  const args = ['-d', 'hello', '-H', 'x-one: 1', `http://127.0.0.1:${port}/a?b=1`];
  expect(JSON.parse(await curl(...args))).toMatchObject({ ...expected, protocol: 'HTTP/1.1' });
  expect(JSON.parse(await curl('--http2-prior-knowledge', ...args))).toMatchObject({
    ...expected,
    protocol: 'HTTP/2',
  });
});

test('answers with the status and after the time that were asked for', async () => {
  const write = '%{http_code} %{time_total}';
  expect(await curl('-o', '/dev/null', '-w', '%{http_code}', `http://127.0.0.1:${port}/status/418`)).toBe('418');
  const [status, seconds] = (await curl('-o', '/dev/null', '-w', write, `http://127.0.0.1:${port}/delay/0.2`)).split(
    ' ',
  );
  expect(status).toBe('200');
  expect(Number(seconds)).toBeGreaterThanOrEqual(0.2);
});

test('echoes what is not HTTP, each line after its version', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.write('hello\nPING\nwor');
  setTimeout(() => socket.end('ld\n'), 50);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  expect(text).toBe('v2 hello\nv2 PING\nv2 world\n');
});

test('is healthy over gRPC', async () => {
  expect(await checkGrpcHealth({ host: '127.0.0.1', port, timeoutMs: 30_000 }, 'any')).toBe('SERVING');
});
