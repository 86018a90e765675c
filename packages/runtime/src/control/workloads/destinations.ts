import type { MeshModel, Protocol, Service } from '@mizzen/model';
import type { DesiredContainer, DesiredWorkload } from '../../protocol.ts';

/**
 * `scheme://` (if any), perhaps user information, then `host:port` standing on its own. Both begin where a word does, so that
 * a long value (a key, say) is gone through once.
 */
const DESTINATION =
  /(?:(?<![\w+.-])([a-z][a-z\d+.-]*):\/\/(?:[^\s/@]*@)?)?(?<![\w.-])([a-z\d](?:[a-z\d.-]*[a-z\d])?):(\d{1,5})(?!\d)/gi;

/** Schemes whose clients go through the sidecar's HTTP proxy. */
const HTTP_SCHEMES = new Set(['http', 'https', 'ws', 'wss', 'grpc', 'grpcs']);
const BYTES: ReadonlySet<Protocol> = new Set(['tcp', 'tls', 'https', 'mongo', 'mysql', 'redis']);

/**
 * Where a workload's environment names a service that is not HTTP: the application reaches these through a listener of
 * its sidecar instead of through the HTTP proxy. A port whose protocol is not known counts when the value's scheme is
 * not HTTP's (`postgres://db:5432`).
 */
export function tcpDestinations(
  model: MeshModel,
  namespace: string,
  env: readonly DesiredContainer['env'][number][],
): DesiredWorkload['tcpDestinations'] {
  const found = new Map<string, { host: string; port: number; service: string }>();
  for (const { value } of env) {
    if (typeof value !== 'string') continue;
    for (const [, scheme, host, digits] of value.matchAll(DESTINATION)) {
      if (host === undefined || digits === undefined || found.has(`${host}:${digits}`)) continue;
      const service = serviceNamed(model, host, namespace);
      const port = service?.ports.find((each) => each.port === Number(digits));
      if (service === undefined || port === undefined || !isBytes(port.protocol, scheme)) continue;
      found.set(`${host}:${digits}`, { host, port: port.port, service: service.hostname });
    }
  }
  return [...found.values()];
}

function isBytes(protocol: Protocol, scheme: string | undefined): boolean {
  if (scheme !== undefined && HTTP_SCHEMES.has(scheme.toLowerCase())) return false;
  return BYTES.has(protocol) || (protocol === 'auto' && scheme !== undefined);
}

/** By any of the names that a cluster's DNS would answer to. */
function serviceNamed(model: MeshModel, host: string, namespace: string): Service | undefined {
  const name = host.toLowerCase();
  const suffix = `svc.${model.domainSuffix}`;
  const candidates = [name, `${name}.${namespace}.${suffix}`, `${name}.${suffix}`, `${name}.${model.domainSuffix}`];
  for (const candidate of candidates) {
    const service = model.serviceFor(candidate, namespace);
    if (service !== undefined) return service;
  }
  return undefined;
}
