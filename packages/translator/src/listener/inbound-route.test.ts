import { expect, it } from 'vitest';
import { inboundRoute } from './inbound-route.ts';

const port = { cluster: 'inbound|80||', protocol: 'http', servicePort: 80, operationHost: 'a' } as const;
const retries = (settings: Parameters<typeof inboundRoute>[0]['retries'], protocol: 'http' | 'grpc' = 'http') =>
  inboundRoute({ ...port, protocol, retries: settings }).virtualHosts?.[0]?.routes?.[0]?.route?.retryPolicy;

it('sends again what the application did not read, unless the mesh says otherwise', () => {
  expect(retries(undefined)).toEqual({ retryOn: 'reset-before-request', numRetries: 2 });
  expect(retries({ attempts: 1, retryOn: 'reset', backoff: '5ms' })).toEqual({
    retryOn: 'reset',
    numRetries: 1,
    retryBackOff: { baseInterval: '0.005s' },
  });
  expect(retries({})).toBeUndefined();
  expect(retries(undefined, 'grpc')).toBeUndefined();
});
