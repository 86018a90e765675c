import { expect, test } from 'vitest';
import { compileAddress } from './address.ts';
import { compileBind } from './cluster/bind.ts';
import { CompileContext } from './context.ts';
import { testDeps } from './testing/deps.ts';

test('datagrams are refused, but where they are what is sent', () => {
  const context = new CompileContext('t', 'r', testDeps);
  const address = '127.0.0.1';
  const udp = { address, portValue: 9, protocol: 'UDP' } as const;
  expect(compileAddress(context, { socketAddress: udp }, ['a'], true)).toMatchObject({ address, port: 9 });
  expect(context.nacks).toEqual([]);
  compileAddress(context, { socketAddress: udp }, ['a']);
  compileBind(context, { sourceAddress: udp, extraSourceAddresses: [{ address: udp }] }, ['b']);
  compileBind(context, { sourceAddress: { address }, additionalSourceAddresses: [udp] }, ['c']);
  expect(context.nacks.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    'a.socketAddress.protocol: `UDP`: only TCP is served',
    'b.sourceAddress.protocol: `UDP`: only TCP is served',
    'b.extraSourceAddresses[0].address.protocol: `UDP`: only TCP is served',
    'c.additionalSourceAddresses[0].protocol: `UDP`: only TCP is served',
  ]);
});
