import type { Resource, Snapshot, gwapi, networking } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import { headerOperations } from './filters.ts';
import type { Grants } from './grants.ts';
import { NO_BACKEND, type Problems } from './problems.ts';

export interface BackendContext {
  readonly snapshot: Snapshot;
  readonly grants: Grants;
  readonly domainSuffix: string;
  readonly problems: Problems;
  readonly route: Resource<gwapi.HTTPRouteSpec>;
  /** For routes of Gateways; those of the mesh may lead anywhere. */
  readonly needsGrant: boolean;
  /** Is there a Service or ServiceEntry for this host? */
  hostKnown(hostname: string): boolean;
}

/** A destination for every backend with a weight. One that is not there stays: requests for it are answered with 500. */
export function destinationsOf(
  context: BackendContext,
  backends: readonly gwapi.HTTPBackendRef[],
  path: Path,
): { readonly route: networking.HTTPRouteDestination[]; readonly written: Path[] } {
  const weighted = backends
    .map((backend, index) => ({ backend, at: [...path, index] }))
    .filter(({ backend }) => backend.weight !== 0);
  const route = weighted.map(({ backend, at }): networking.HTTPRouteDestination => {
    const headers = headersOf(backend);
    return {
      destination: destinationOf(context, backend, at) ?? {},
      ...(weighted.length === 1 ? {} : { weight: backend.weight ?? 1 }),
      ...(headers === undefined ? {} : { headers }),
    };
  });
  return { route, written: weighted.map(({ at }) => at) };
}

function headersOf({ filters = [] }: gwapi.HTTPBackendRef): networking.Headers | undefined {
  let out: networking.Headers | undefined;
  for (const { requestHeaderModifier, responseHeaderModifier } of filters) {
    if (requestHeaderModifier) out = { ...out, request: headerOperations(requestHeaderModifier) };
    if (responseHeaderModifier) out = { ...out, response: headerOperations(responseHeaderModifier) };
  }
  return out;
}

const ANSWERED = 'requests for it are answered with 500';

/** Undefined for what cannot be a backend, or may not be one of this route. */
export function destinationOf(
  context: BackendContext,
  backend: gwapi.BackendRef,
  path: Path,
): networking.Destination | undefined {
  const { snapshot, route, grants, domainSuffix } = context;
  const own = route.metadata.namespace;
  const { group = '', kind = 'Service', name, namespace = own, port } = backend;
  const warn = (message: string, help?: string): void =>
    context.problems.warn(NO_BACKEND, route, path, `${message}: ${ANSWERED}`, help);
  const at = port === undefined ? {} : { port: { number: port } };
  if (context.needsGrant && !grants.service(own, namespace, name)) {
    const help = `a ReferenceGrant in \`${namespace}\` can allow it`;
    warn(`an HTTPRoute of \`${own}\` may not lead to \`${namespace}/${name}\``, help);
    return undefined;
  }
  if (group === 'networking.istio.io' && kind === 'Hostname') {
    if (!context.hostKnown(name)) warn(`there is no Service or ServiceEntry for \`${name}\``);
    return { host: name, ...at };
  }
  if ((group !== '' && group !== 'core') || kind !== 'Service') {
    warn(`\`${kind}\` is not supported as a backend`);
    return undefined;
  }
  if (snapshot.get('Service', namespace, name) === undefined) warn(`there is no Service \`${namespace}/${name}\``);
  return { host: `${name}.${namespace}.svc.${domainSuffix}`, ...at };
}
