import { expect, test } from 'vitest';
import { compileAddress, compileOwnAddress } from './address.ts';
import { compileBind } from './cluster/bind.ts';
import { CompileContext } from './context.ts';
import { testDeps } from './testing/deps.ts';

test('datagrams are refused, but where they are what is sent', () => {
  const context = new CompileContext('t', 'r', testDeps);
  const address = '127.0.0.1';
  const udp = { address, portValue: 9, protocol: 'UDP' } as const;
  const udp6 = { ...udp, address: '::1' };
  expect(compileAddress(context, { socketAddress: udp }, ['a'], true)).toMatchObject({ address, port: 9 });
  expect(context.nacks).toEqual([]);
  compileAddress(context, { socketAddress: udp }, ['a']);
  compileBind(context, { sourceAddress: udp, extraSourceAddresses: [{ address: udp6 }] }, ['b']);
  compileBind(context, { sourceAddress: { address }, additionalSourceAddresses: [udp6] }, ['c']);
  expect(context.nacks.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    'a.socketAddress.protocol: `UDP`: only TCP is served',
    'b.sourceAddress.protocol: `UDP`: only TCP is served',
    'b.extraSourceAddresses[0].address.protocol: `UDP`: only TCP is served',
    'c.additionalSourceAddresses[0].protocol: `UDP`: only TCP is served',
  ]);
});

test('the proxy listens, and binds, at IP addresses alone', () => {
  const context = new CompileContext('t', 'r', testDeps);
  for (const address of ['127.0.0.1', '::1', 'localhost', '[::1]'])
    compileOwnAddress(context, { socketAddress: { address, portValue: 80 } }, ['at']);
  compileOwnAddress(context, { pipe: { path: '/tmp/a' } }, ['at']);
  compileBind(context, { sourceAddress: { address: '127.0.0.1', portValue: 70_000 } }, ['bind']);
  expect(context.nacks.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    'at.socketAddress.address: `localhost` is not an IP address',
    'at.socketAddress.address: `[::1]` is not an IP address',
    'bind.sourceAddress.portValue: must be at most 65535',
  ]);
});
