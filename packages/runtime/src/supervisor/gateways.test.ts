import { expect, test } from 'vitest';
import type { DesiredWorkload } from '../protocol.ts';
import { gatewayUrls } from './gateways.ts';

test('what a person opens: ports that speak HTTP, but for those that programs read metrics at', () => {
  const gateway = {
    gatewayPorts: { 80: 8080, 443: 8443, 9464: 9464, 5432: 5432 },
    gatewayProtocols: { 80: 'HTTP', 443: 'HTTPS', 9464: 'HTTP', 5432: 'TCP' },
    gatewayMetrics: [9464],
  } as unknown as DesiredWorkload;
  expect(gatewayUrls([gateway])).toEqual(['http://localhost:8080', 'https://localhost:8443']);
});
