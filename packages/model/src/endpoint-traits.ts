import { isDeepStrictEqual } from 'node:util';
import type { Endpoint, Service } from './types.ts';

/**
 * Whether clusters and listeners that were made with one of these lists of endpoints of a service port are the same with the
 * other. Of endpoints that are discovered they know who may answer, whether all speak mutual TLS, whether all are Envoys,
 * and at which addresses the pods of a headless service are; of any others they may know everything.
 */
export function alike(service: Service, before: readonly Endpoint[], after: readonly Endpoint[]): boolean {
  if (service.resolution !== 'static' && service.resolution !== 'passthrough') return isDeepStrictEqual(before, after);
  return (
    allMutual(before) === allMutual(after) &&
    before.some(ownEngine) === after.some(ownEngine) &&
    sameSet(accounts(before), accounts(after)) &&
    (service.resolution === 'static' || isDeepStrictEqual(addresses(before), addresses(after)))
  );
}

function allMutual(endpoints: readonly Endpoint[]): boolean {
  return endpoints.length > 0 && endpoints.every(({ tlsMode }) => tlsMode === 'istio');
}

function ownEngine({ workload }: Endpoint): boolean {
  return workload?.engine === 'mizzen';
}

/** `namespace/account` of every endpoint that can prove who it is. */
export function accounts(endpoints: readonly Endpoint[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { serviceAccount, workload, namespace } of endpoints) {
    if (serviceAccount !== '' || workload?.kind === 'Pod') found.add(`${namespace}/${serviceAccount}`);
  }
  return found;
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}

function addresses(endpoints: readonly Endpoint[]): readonly string[] {
  return [...new Set(endpoints.map(({ address }) => address))];
}
