import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { openPodNetwork } from './addresses.ts';
import { PortAllocator, tryBind } from './ports.ts';

test('a port that another program has is passed over, and none is handed out twice', async () => {
  const first = await new PortAllocator(50).allocate();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(first, '127.0.0.1', resolve));
  const allocator = new PortAllocator(50);
  const ports = await Promise.all(Array.from({ length: 20 }, () => allocator.allocate()));
  server.close();
  expect(new Set(ports).size).toBe(20);
  expect(ports).not.toContain(first);
});

test('released ports come back only after all others', async () => {
  const allocator = new PortAllocator(51, () => Promise.resolve(true));
  const first = await allocator.allocate();
  allocator.release(first);
  expect(await allocator.allocate()).toBe(first + 1);
});

test('what binding tells', async () => {
  const server = createServer();
  const port = await new PortAllocator(52).allocate();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect(await tryBind('127.0.0.1', port)).toBe('taken');
  server.close();
  expect(await tryBind('192.0.2.1', 4000)).toBe('unavailable');
});

// Elsewhere there is one loopback address, so there are no networks to keep apart.
test.skipIf(process.platform !== 'linux')('two meshes on one machine get networks of their own', async () => {
  const [a, b] = [await openPodNetwork(), await openPodNetwork()];
  const one = a.allocate();
  expect(one.address.split('.')[1]).not.toBe(b.allocate().address.split('.')[1]);
  const [, net, ...rest] = one.address.split('.');
  expect(one.egress).toBe(['127', Number(net) + 128, ...rest].join('.'));
  const many = new Set(Array.from({ length: 2_000 }, () => a.allocate().address));
  expect(many.size).toBe(2_000);
  expect(many).not.toContain(one.address);
  a.close();
  b.close();
});

test('where only 127.0.0.1 works, ports tell pods apart', async () => {
  const network = await openPodNetwork({ loopbackOnly: true });
  expect(network.unique).toBe(false);
  expect(network.allocate()).toEqual({ address: '127.0.0.1', egress: '127.0.0.1' });
});
