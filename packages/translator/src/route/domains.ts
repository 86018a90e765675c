import { isIP } from 'node:net';
import type { Service } from '@mizzen/model';
import { isAlias } from '../aliases.ts';
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

/** Further names of a host that are short for it where the proxy is. */
export function shortNames({ proxy }: TranslationContext, hostname: string): readonly string[] {
  const { dnsDomain } = proxy;
  const at = dnsDomain.indexOf('.svc.');
  if (at < 0) return withoutShared(hostname, dnsDomain);
  if (!hostname.endsWith(at === 0 ? dnsDomain : dnsDomain.slice(at))) return [];
  // On one machine each pod of a StatefulSet is a service of its own, named `db-0.db`.
  return kubernetesNames(hostname, dnsDomain.slice(0, at), proxy.local !== undefined);
}

/**
 * `reviews`, `reviews.default.svc`, `reviews.default` from within `default`; the last two (reversed) from elsewhere.
 * `dotted`: names within a namespace may have several parts.
 */
function kubernetesNames(hostname: string, namespace: string, dotted: boolean): readonly string[] {
  const qualified = hostname.slice(0, hostname.indexOf('.svc.'));
  const dot = dotted ? qualified.lastIndexOf('.') : qualified.indexOf('.');
  if (dot < 0) return [];
  if (qualified.slice(dot + 1) === namespace) return [qualified.slice(0, dot), `${qualified}.svc`, qualified];
  return [qualified, `${qualified}.svc`];
}

/** Outside of Kubernetes: less what the host's name and the proxy's domain end in alike, or all of that but its first part. */
function withoutShared(hostname: string, domain: string): readonly string[] {
  const host = hostname.split('.');
  const own = domain.split('.');
  let shared = 0;
  while (shared < Math.min(host.length, own.length) && host.at(-1 - shared) === own.at(-1 - shared)) shared++;
  if (shared === 0) return [];
  const unique = host.slice(0, host.length - shared);
  return unique.length === 2 ? [unique.join('.'), host.slice(0, 3).join('.')] : [unique.join('.')];
}

/** ExternalName services whose target is a service: they are further names of it. */
export function aliasesByTarget(context: TranslationContext): ReadonlyMap<string, string[]> {
  const out = new Map<string, string[]>();
  for (const service of context.scope.services) {
    if (service.externalName === undefined || !isAlias(context, service)) continue;
    const list = out.get(service.externalName);
    if (list === undefined) out.set(service.externalName, [service.hostname]);
    else list.push(service.hostname);
  }
  return out;
}
