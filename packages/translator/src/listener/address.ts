import type { types } from '@mizzen/xds';

/** A listener's address: an IP and a port, or a Unix domain socket (`unix://PATH`, or `unix://@NAME`). */
export function address(host: string, portValue: number): types.core.Address {
  if (host.startsWith('unix://')) return { pipe: { path: host.slice('unix://'.length) } };
  return { socketAddress: { address: host, portValue } };
}
