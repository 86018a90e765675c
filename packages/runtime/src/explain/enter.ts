import type { SimulatedRequest } from '@mizzen/simulator';
import type { LocalProxy } from '@mizzen/translator';
import type { PodStatus } from '../protocol.ts';
import type { OfflineProxy } from './programs.ts';
import { BadQuestion, portOf, type Target } from './target.ts';

/** Who sends a request and where it enters that proxy. */
export interface Entrance {
  readonly proxy: OfflineProxy;
  readonly request: SimulatedRequest;
}

/**
 * A workload's request enters its sidecar's HTTP proxy, as the application would send it; a request from outside enters
 * the gateway that listens on the URL's port (the local one, or the Gateway's own).
 * @throws BadQuestion when nobody could send it.
 */
export function entranceOf(proxies: readonly OfflineProxy[], target: Target, from: PodStatus | undefined): Entrance {
  const proxy = from === undefined ? gatewayAt(proxies, portOf(target.url)) : proxies.find(({ pod }) => pod === from);
  if (proxy === undefined) throw new BadQuestion(`\`${from?.owner.name}\` has no sidecar to send it through`);
  const local = proxy.pod.nodeMetadata?.['MIZZEN'] as LocalProxy | undefined;
  const { url, method, headers } = target;
  const plain = { method, path: `${url.pathname}${url.search}`, authority: url.host, headers };
  if (local?.gateway !== undefined) {
    const port = gatewayPort(local.gateway.ports, portOf(url));
    if (port === undefined) throw new BadQuestion(`gateway \`${proxy.pod.owner.name}\` has no port ${portOf(url)}`);
    return { proxy, request: { ...plain, enter: { address: local.gateway.address, port } } };
  }
  if (local?.httpProxy === undefined) throw new BadQuestion(`\`${proxy.pod.owner.name}\` has no HTTP proxy port`);
  // Clients of an HTTP proxy ask it for a tunnel to where they want to speak TLS.
  const tunnel = { method: 'CONNECT', path: '', authority: `${url.hostname}:${portOf(url)}`, headers: [] };
  const request = url.protocol === 'https:' ? tunnel : plain;
  return { proxy, request: { ...request, enter: local.httpProxy, from: { address: '127.0.0.1' } } };
}

function gatewayAt(proxies: readonly OfflineProxy[], port: number): OfflineProxy {
  const gateways = proxies.filter(({ pod }) => portsOf(pod.nodeMetadata) !== undefined);
  const found = gateways.find(({ pod }) => gatewayPort(portsOf(pod.nodeMetadata) ?? {}, port) !== undefined);
  if (found !== undefined) return found;
  throw new BadQuestion(`who sends it? no gateway listens on port ${port}`, 'give --from WORKLOAD');
}

function portsOf(
  metadata: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<number, number>> | undefined {
  return (metadata?.['MIZZEN'] as LocalProxy | undefined)?.gateway?.ports;
}

function gatewayPort(ports: Readonly<Record<number, number>>, wanted: number): number | undefined {
  return Object.values(ports).find((local) => local === wanted) ?? ports[wanted];
}
