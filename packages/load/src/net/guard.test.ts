import { expect, test } from 'vitest';
import { Guard, isLoopback, RemoteRefused } from './guard.ts';

const names: Readonly<Record<string, readonly string[]>> = {
  localhost: ['127.0.0.1', '::1'],
  'two.example': ['127.0.0.1', '192.0.2.1'],
  'far.example': ['2001:db8::1'],
};
const resolve = (host: string): Promise<readonly string[]> => Promise.resolve(names[host] ?? []);

test('addresses of this machine, however they are written', () => {
  for (const address of ['127.0.0.1', '127.9.8.7', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0.0.0.0']) {
    expect(isLoopback(address), address).toBe(true);
  }
  for (const address of ['10.0.0.1', '128.0.0.1', '::ffff:10.0.0.1', 'fe80::1', '169.254.169.254', 'localhost']) {
    expect(isLoopback(address), address).toBe(false);
  }
});

test('every address of a name is checked', async () => {
  const guard = new Guard({ allowRemote: false, resolve });
  expect(await guard.addresses('localhost')).toEqual(['127.0.0.1', '::1']);
  expect(await guard.addresses('[::1]')).toEqual(['::1']);
  for (const host of ['two.example', 'far.example', '192.0.2.1', '[2001:db8::1]']) {
    await expect(guard.addresses(host), host).rejects.toThrow(RemoteRefused);
  }
  expect(await new Guard({ allowRemote: true, resolve }).addresses('two.example')).toHaveLength(2);
});

test('a sidecar is asked only for hosts of the mesh, on their ports', async () => {
  const guard = new Guard({ allowRemote: false, resolve, inMesh: (host, port) => host === 'catalog' && port === 8080 });
  await guard.throughMesh('catalog', 8080);
  await guard.throughMesh('localhost', 1);
  await expect(guard.throughMesh('far.example', 8080)).rejects.toThrow('`far.example` is 2001:db8::1');
});
