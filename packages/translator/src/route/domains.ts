import { isIP } from 'node:net';
import type { Service } from '@mizzen/model';
import type { TranslationContext } from '../context.ts';

/**
 * Names a service answers to, as seen from the proxy's namespace. `port` adds each name with it; 0 adds none (the route
 * configuration then ignores ports in Host). `expanded` are those that are only short forms.
 */
export function serviceDomains(
  context: TranslationContext,
  service: Service,
  aliases: readonly string[],
  port: number,
): { readonly domains: readonly string[]; readonly expanded: ReadonlySet<string> } {
  const domains: string[] = [];
  const expanded = new Set<string>();
  for (const hostname of [service.hostname, ...aliases]) {
    addName(domains, hostname, port);
    addName(domains, `${hostname}.`, port);
    const before = domains.length;
    for (const short of shortNames(context, hostname)) addName(domains, short, port);
    for (const name of domains.slice(before)) expanded.add(name);
  }
  if (service.resolution === 'passthrough' && service.registry === 'Kubernetes') {
    for (const name of domains.slice()) domains.push(`*.${name}`);
  }
  for (const address of service.addresses) if (address !== '0.0.0.0') addName(domains, address, port);
  return { domains, expanded };
}

function addName(domains: string[], name: string, port: number): void {
  const host = isIP(name) === 6 ? `[${name}]` : name;
  domains.push(host);
  if (port !== 0) domains.push(`${host}:${port}`);
}

/** Of the cluster's own domain: only those have short forms. */
function isKubernetesName(context: TranslationContext, hostname: string): boolean {
  const suffix = context.proxy.dnsDomain.slice(context.proxy.dnsDomain.indexOf('.svc.'));
  return suffix.startsWith('.svc.') && hostname.endsWith(suffix);
}

/** `reviews`, `reviews.default.svc`, `reviews.default` from within `default`; the last two (reversed) from elsewhere. */
function shortNames(context: TranslationContext, hostname: string): readonly string[] {
  if (!isKubernetesName(context, hostname)) return [];
  const { dnsDomain } = context.proxy;
  const qualified = hostname.slice(0, hostname.indexOf('.svc.'));
  const dot = qualified.lastIndexOf('.');
  if (dot < 0) return [];
  const namespace = dnsDomain.slice(0, dnsDomain.indexOf('.svc.'));
  if (qualified.slice(dot + 1) === namespace) return [qualified.slice(0, dot), `${qualified}.svc`, qualified];
  return [qualified, `${qualified}.svc`];
}
