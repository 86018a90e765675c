import { expect, test } from 'vitest';
import { gatewayLines } from './gateway-lines.ts';

const gateway = (name: string, namespace: string, gatewayPorts: Readonly<Record<string, string>>) => ({
  owner: { name, namespace },
  pods: [{ gatewayPorts }],
});
const edge = gateway('edge', 'default', { '80': '127.0.0.1:8080', '443': '127.0.0.1:8443' });
const web = gateway('web', 'default', {});

test('the ports of the only gateway need no name', () => {
  expect([...gatewayLines([web, edge])]).toEqual([
    'gateway port 80 is on 127.0.0.1:8080',
    'gateway port 443 is on 127.0.0.1:8443',
  ]);
  expect([...gatewayLines([web])]).toEqual([]);
});

test('of several gateways each port says whose it is', () => {
  expect([...gatewayLines([edge, web, gateway('front', 'shop', { '80': '127.0.0.1:9080' })])]).toEqual([
    'gateway port 80 of edge is on 127.0.0.1:8080',
    'gateway port 443 of edge is on 127.0.0.1:8443',
    'gateway port 80 of front.shop is on 127.0.0.1:9080',
  ]);
});
