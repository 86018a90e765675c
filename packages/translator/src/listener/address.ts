import type { types } from '@mizzen/xds';
import type { Build } from './build.ts';

/** A listener's address: an IP and a port, or a Unix domain socket (`unix://PATH`, or `unix://@NAME`). */
export function address(host: string, portValue: number): types.core.Address {
  if (host.startsWith('unix://')) return { pipe: { path: host.slice('unix://'.length) } };
  return { socketAddress: { address: host, portValue } };
}

/**
 * Where a listener is bound. Envoys on one machine would share a port that two of them listen on, each with a part of
 * its connections; there a port is for one alone, and who comes second is told.
 */
export function bound(
  { context: { proxy } }: Build,
  host: string,
  port: number,
): Pick<types.listener.Listener, 'address' | 'enableReusePort'> {
  const own = proxy.local !== undefined && proxy.engine === 'envoy';
  return { address: address(host, port), ...(own ? { enableReusePort: false } : {}) };
}
