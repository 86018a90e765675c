import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { newClusterStats } from '../../cluster/stats.ts';
import type { UpstreamCluster, UpstreamHost } from '../../types.ts';
import { StreamWriter } from './stream.ts';

test('lines wait for the connection, and one that is gone is made again', async () => {
  let text = '';
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => (text += data.toString()));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  let healthy = false;
  const host = {
    connect: (ready: (socket: Socket) => void) => {
      const socket = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => undefined);
      socket.once('connect', () => ready(socket));
    },
  } as Partial<UpstreamHost> as UpstreamHost;
  const stats = newClusterStats();
  const cluster = { choose: () => (healthy ? host : null), stats } as Partial<UpstreamCluster> as UpstreamCluster;
  const overflow = { value: 0 };
  const writer = new StreamWriter(() => cluster, overflow);
  writer.batch(['lost']);
  await expect.poll(() => stats.upstream_cx_none_healthy).toBe(1);
  healthy = true;
  writer.batch(['a', 'b']);
  writer.batch(['c']);
  await expect.poll(() => text).toBe('a\nb\nc\n');
  writer.batch(['d']);
  await expect.poll(() => text).toBe('a\nb\nc\nd\n');
  expect(sockets).toHaveLength(1);
  // Only what comes once the end has been noticed goes over another.
  sockets[0]!.end();
  await new Promise<void>((done) => sockets[0]!.once('close', () => done()));
  await expect
    .poll(() => {
      writer.batch(['e']);
      return text;
    })
    .toContain('e\n');
  expect(sockets).toHaveLength(2);
  // Nobody reads: what would wait beyond the limit is left out, and the connection given up.
  sockets[1]!.pause();
  const long = 'x'.repeat(1 << 20);
  for (let i = 0; i < 40; i++) writer.batch([long]);
  expect(overflow.value).toBeGreaterThan(0);
  await writer.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((done) => server.close(done));
});
