import type { Cluster, ClusterLoadAssignment, Listener } from '@mizzen/xds';
import { buildClusters } from './cluster/index.ts';
import type { TranslationContext } from './context.ts';
import { buildEndpoints } from './endpoint/index.ts';
import { buildListeners } from './listener/index.ts';
import { extensionsOf } from './extension/list.ts';
import { inForce, withClusterPatches, withListenerPatches } from './envoy-filter/index.ts';
import { OriginTable } from './origins.ts';
import { serviceTargets } from './service-targets.ts';
import type { NodeMetadata } from './types.ts';

/** All that a proxy is sent but its routes. */
export interface Parts {
  readonly listeners: readonly Listener[];
  readonly clusters: readonly Cluster[];
  readonly endpoints: readonly ClusterLoadAssignment[];
}

interface Part<T> {
  /** What of the model it depends on besides its structure. */
  readonly from: readonly (readonly unknown[])[];
  readonly value: T;
  readonly origins: OriginTable;
}
interface Kept {
  readonly id: string;
  readonly parts: { [K in keyof Parts]?: Part<Parts[K]> };
}

/** Listeners and clusters with the EnvoyFilters that are for the proxy applied. */
const listenersOf = withListenerPatches(buildListeners);
const clustersOf = withClusterPatches(buildClusters);

const kept = new WeakMap<TranslationContext['model']['structure'], WeakMap<NodeMetadata, Kept>>();

/**
 * The parts for one proxy. A sidecar's are kept from one model to the next, the very same lists, while all that they were
 * made of stays: the model's structure, the node, the services in scope, those that lead to the proxy's own workload, the
 * EnvoyFilters for the proxy and, for listeners, policies, telemetry, extensions and the routes that are for bytes; for
 * endpoints the whole registry. What HTTP routes say is not among it.
 */
export function buildParts(context: TranslationContext): Parts {
  const { scope, proxy, model } = context;
  if (proxy.type === 'router') {
    return {
      listeners: listenersOf(context),
      clusters: clustersOf(context),
      endpoints: buildEndpoints(context),
    };
  }
  const policies = model.policies(proxy.namespace, proxy.labels);
  const { patches } = inForce(context);
  const services = [scope.services, ...scope.egress.map((egress) => egress.services)];
  const own = serviceTargets(context).flatMap((target) => [target.service, target.servicePort, target.targetPort]);
  return {
    listeners: part(context, 'listeners', listenersOf, [
      ...services,
      own,
      policies.authorization,
      policies.requestAuthentication,
      policies.peerAuthentication,
      model.snapshot.list('Telemetry'),
      extensionsOf(context),
      patches,
      ...scope.egress.map((egress) => bytesRoutes(egress.virtualServices)),
    ]),
    clusters: part(context, 'clusters', clustersOf, [...services, own, patches]),
    endpoints: part(context, 'endpoints', buildEndpoints, [...services, [model.registry]]),
  };
}

type VirtualServices = TranslationContext['scope']['egress'][number]['virtualServices'];
const bytes = new WeakMap<VirtualServices, VirtualServices>();

function bytesRoutes(all: VirtualServices): VirtualServices {
  let found = bytes.get(all);
  if (found === undefined) {
    found = all.filter(({ spec }) => (spec.tls ?? []).length > 0 || (spec.tcp ?? []).length > 0);
    bytes.set(all, found);
  }
  return found;
}

function part<K extends keyof Parts>(
  context: TranslationContext,
  name: K,
  build: (context: TranslationContext) => Parts[K],
  from: Part<unknown>['from'],
): Parts[K] {
  const { parts } = keptFor(context);
  let found: Part<Parts[K]> | undefined = parts[name];
  if (found === undefined || !sameLists(found.from, from)) {
    const origins = new OriginTable();
    found = { from, value: build({ ...context, origins }), origins };
    parts[name] = found;
  }
  context.origins.include(found.origins);
  return found.value;
}

function keptFor({ model, node }: TranslationContext): Kept {
  let nodes = kept.get(model.structure);
  if (nodes === undefined) kept.set(model.structure, (nodes = new WeakMap()));
  let found = nodes.get(node.metadata);
  if (found?.id !== node.id) nodes.set(node.metadata, (found = { id: node.id, parts: {} }));
  return found;
}

function sameLists(a: Part<unknown>['from'], b: Part<unknown>['from']): boolean {
  return a.length === b.length && a.every((list, index) => sameElements(list, b[index]!));
}

const compared = new WeakMap<readonly unknown[], { readonly to: readonly unknown[]; readonly same: boolean }>();

/** Proxies share many of these lists: each is compared with another once. */
function sameElements(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a === b) return true;
  let known = compared.get(a);
  if (known?.to !== b) {
    known = { to: b, same: a.length === b.length && a.every((element, index) => element === b[index]) };
    compared.set(a, known);
  }
  return known.same;
}
