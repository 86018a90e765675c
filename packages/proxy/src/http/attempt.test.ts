import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { RetryOn } from './retry.ts';
import { RETRY, routeTo, startTestServer, TestCluster } from './test-server.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).toReversed()) await stop();
});

test.each([0, RetryOn['5xx']])('a body goes on behind an answer that came early (retried for %i)', async (on) => {
  let socket: Socket | undefined;
  let received = '';
  const server = createServer((opened) => {
    socket = opened;
    opened.on('error', () => undefined);
    opened.on('data', (data) => (received += data.toString('latin1')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => server.close());
  const up = new TestCluster('up', [(server.address() as AddressInfo).port]);
  const proxy = await startTestServer({ find: () => routeTo('up', { retry: { ...RETRY, on } }), clusters: [up] });
  cleanUp.push(() => proxy.stop());
  const client = connect(proxy.port, '127.0.0.1');
  cleanUp.push(() => client.destroy());
  let answer = '';
  client.on('data', (data) => (answer += data.toString('latin1')));

  client.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n1111');
  await expect.poll(() => received).toMatch(/\r\n\r\n1111$/);
  socket!.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab');
  await expect.poll(() => answer).toMatch(/\r\n\r\nab$/);
  client.write('2222');
  await expect.poll(() => received).toMatch(/\r\n\r\n11112222$/);
  client.write('3333');
  await expect.poll(() => received).toMatch(/\r\n\r\n111122223333$/);
  socket!.write('cd');
  await expect.poll(() => answer).toMatch(/\r\n\r\nabcd$/);
});
