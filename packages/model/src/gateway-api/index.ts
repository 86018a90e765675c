import type { KindSpecs, Resource, Snapshot, networking } from '@mizzen/api';
import type { Diagnostic } from '@mizzen/diagnostics';
import { isDeepStrictEqual } from 'node:util';
import { convertGateways } from './gateways.ts';
import { Grants } from './grants.ts';
import { type ConvertedRoutes, convertHttpRoutes } from './http-routes.ts';
import { ROUTE_SEMANTICS } from './names.ts';
import type { ListenerParent } from './parents.ts';
import { TARGETING_KINDS, checkPolicyTargets } from './policy-targets.ts';
import { Problems } from './problems.ts';

export { PREFIX_MARK } from './filters.ts';
export { Grants } from './grants.ts';
export { isManaged, managedName, managedServiceAccount, gatewayHosts } from './managed.ts';
export { GATEWAY_CLASS_LABEL, GATEWAY_NAME_LABEL } from './names.ts';
export { controllerOf } from './classes.ts';
export type { GatewayController } from './classes.ts';

/** The Gateway API's resources as Istio's own, which istiod goes on from. */
export interface GatewayApi {
  readonly gateways: readonly Resource<networking.Gateway>[];
  readonly virtualServices: readonly Resource<networking.VirtualService>[];
  readonly grants: Grants;
  /** What leads nowhere; all warnings. */
  readonly diagnostics: readonly Diagnostic[];
  /** For the conversion after this one, like what follows. */
  readonly inputs: GatewayApiInputs;
  readonly listeners: readonly ListenerParent[];
  readonly routes: ConvertedRoutes;
}

export interface GatewayApiInputs {
  readonly snapshot: Snapshot;
  readonly domainSuffix: string;
}

/** Kinds that an HTTPRoute is converted by. */
const AROUND_ROUTES = [
  'GatewayClass',
  'KubernetesGateway',
  'ReferenceGrant',
  'Service',
  'ServiceEntry',
  'Namespace',
  'Secret',
] as const satisfies readonly (keyof KindSpecs)[];

/** Kinds whose resources take part. */
const READ = [...AROUND_ROUTES, 'HTTPRoute', ...TARGETING_KINDS] as const;

/**
 * Pure: the same resources give the same conversion. What is the same as in `previous` is taken from it, for whoever
 * caches by identity. `hostKnown`: whether there is a Service or ServiceEntry for a host.
 */
export function convertGatewayApi(
  inputs: GatewayApiInputs,
  hostKnown: (hostname: string) => boolean,
  previous?: GatewayApi,
): GatewayApi {
  if (previous !== undefined && same(READ, previous.inputs, inputs)) return previous;
  const { snapshot, domainSuffix } = inputs;
  const grants = new Grants(snapshot);
  const problems = new Problems();
  const { gateways, listeners } = convertGateways({ snapshot, domainSuffix, grants, problems });
  const unchanged =
    previous !== undefined &&
    same(AROUND_ROUTES, previous.inputs, inputs) &&
    isDeepStrictEqual(previous.listeners, listeners);
  const context = { snapshot, domainSuffix, grants, listeners, hostKnown };
  const routes = convertHttpRoutes(context, previous?.routes, unchanged);
  checkPolicyTargets(snapshot, problems);
  return {
    gateways: keepSame(previous?.gateways, gateways),
    virtualServices: routes.virtualServices,
    grants,
    diagnostics: [...problems.list, ...routes.diagnostics],
    inputs,
    listeners,
    routes,
  };
}

/** Whether a VirtualService was made from an HTTPRoute, whose rules differ: whole path segments, 500 for no backend. */
export function hasGatewaySemantics({ metadata }: Resource): boolean {
  return metadata.annotations?.[ROUTE_SEMANTICS] === 'gateway';
}

function same(kinds: readonly (keyof KindSpecs)[], a: GatewayApiInputs, b: GatewayApiInputs): boolean {
  return (
    a.domainSuffix === b.domainSuffix &&
    kinds.every((kind) => sameElements<unknown>(a.snapshot.list(kind), b.snapshot.list(kind)))
  );
}

function sameElements<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((element, index) => element === b[index]));
}

function keepSame<S>(before: readonly Resource<S>[] | undefined, now: readonly Resource<S>[]): readonly Resource<S>[] {
  if (before === undefined || before.length === 0) return now;
  const key = ({ metadata }: Resource<S>): string => `${metadata.namespace}/${metadata.name}`;
  const known = new Map(before.map((resource) => [key(resource), resource]));
  return now.map((resource) => {
    const old = known.get(key(resource));
    return old !== undefined && isDeepStrictEqual(old, resource) ? old : resource;
  });
}
