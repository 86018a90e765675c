import { isIP } from 'node:net';
import type { Proxy } from './context.ts';

/** Whether a proxy has addresses of a family. As in Istio, one that nothing is known of has IPv4. */
export function hasFamily({ addresses }: Proxy, family: 4 | 6): boolean {
  if (addresses.some((address) => isIP(address) === family)) return true;
  return family === 4 && !addresses.some((address) => isIP(address) === 6);
}

/** All addresses of the proxy, to listen on; of IPv4 if it has both families. */
export function anyAddress(proxy: Proxy): '0.0.0.0' | '::' {
  return hasFamily(proxy, 4) ? '0.0.0.0' : '::';
}

/** The proxy's own machine, chosen likewise. */
export function loopback(proxy: Proxy): '127.0.0.1' | '::1' {
  return hasFamily(proxy, 4) ? '127.0.0.1' : '::1';
}

/** Those of some addresses or blocks that are of the proxy's families; all of them when none is. */
export function reachable(proxy: Proxy, addresses: readonly string[]): readonly string[] {
  const own = addresses.filter((address) => {
    const family = isIP(address.replace(/\/.*/, ''));
    return (family === 4 || family === 6) && hasFamily(proxy, family);
  });
  return own.length > 0 ? own : addresses;
}
