import { refOf, type Resource, type Snapshot, type networking } from '@mizzen/api';
import type { Path, Ref } from '@mizzen/diagnostics';
import { mergeDelegate } from './delegates.ts';
import { hasGatewaySemantics } from './gateway-api/index.ts';
import { byAge } from './order.ts';
import { type ExportTo, exportedTo, isVisible } from './visibility.ts';

type VirtualService = Resource<networking.VirtualService>;
type ResolveHost = (host: string, namespace: string) => string;

export const MESH_GATEWAY = 'mesh';

interface Entry {
  readonly resource: VirtualService;
  readonly exportTo: ExportTo;
  readonly gateways: readonly string[];
}

/** VirtualServices with full names, delegates merged in, by the gateways they are bound to. */
export class VirtualServiceIndex {
  readonly #byGateway = new Map<string, Entry[]>();
  readonly #cache = new Map<string, readonly VirtualService[]>();
  readonly #origins: WeakMap<networking.HTTPRoute, { readonly resource: Ref; readonly path: Path }>;
  /** As written → with full names. */
  readonly #resolved: WeakMap<VirtualService, VirtualService>;

  /**
   * `converted`: those made from HTTPRoutes, with full names already. `previous`: an index with the same names of hosts;
   * resources that are in both are resolved once.
   */
  constructor(
    snapshot: Snapshot,
    converted: readonly VirtualService[],
    resolveHost: ResolveHost,
    previous?: VirtualServiceIndex,
  ) {
    this.#origins = previous === undefined ? new WeakMap() : previous.#origins;
    this.#resolved = previous === undefined ? new WeakMap() : previous.#resolved;
    const fallback = snapshot.mesh.defaultVirtualServiceExportTo;
    const delegates = new Map<string, Entry>();
    const roots: Entry[] = [];
    for (const raw of [...snapshot.list('VirtualService'), ...converted].sort(byAge)) {
      const { namespace, name } = raw.metadata;
      let resource = hasGatewaySemantics(raw) ? raw : this.#resolved.get(raw);
      if (resource === undefined) {
        resource = { ...raw, spec: this.#resolve(raw, resolveHost) };
        this.#resolved.set(raw, resource);
      }
      const exportTo = exportedTo(raw.spec.exportTo, fallback, namespace);
      const entry = { resource, exportTo, gateways: gatewaysOf(resource.spec) };
      if ((raw.spec.hosts ?? []).length === 0) delegates.set(`${namespace}/${name}`, entry);
      else roots.push(entry);
    }
    for (const root of roots) {
      const entry = hasDelegate(root.resource.spec) ? this.#mergeDelegates(root, delegates) : root;
      for (const gateway of entry.gateways) {
        const list = this.#byGateway.get(gateway);
        if (list === undefined) this.#byGateway.set(gateway, [entry]);
        else list.push(entry);
      }
    }
  }

  originOf(route: networking.HTTPRoute): { readonly resource: Ref; readonly path: Path } | undefined {
    return this.#origins.get(route);
  }

  /**
   * Private ones first, then those exported to some namespaces, then the public ones, each oldest first; of the public
   * ones a namespace's own HTTPRoutes go first, since they are about what it calls.
   */
  find(namespace: string, gateway: string): readonly VirtualService[] {
    const key = `${namespace} ${gateway}`;
    let found = this.#cache.get(key);
    if (found === undefined) {
      const visible = (this.#byGateway.get(gateway) ?? []).filter((entry) => isVisible(entry.exportTo, namespace));
      const rank = (entry: Entry): number => {
        if (entry.exportTo.includes('*')) {
          const { resource } = entry;
          return hasGatewaySemantics(resource) && resource.metadata.namespace === namespace ? 2 : 3;
        }
        return entry.exportTo.length === 1 && entry.resource.metadata.namespace === namespace ? 0 : 1;
      };
      found = visible.sort((a, b) => rank(a) - rank(b)).map((entry) => entry.resource);
      this.#cache.set(key, found);
    }
    return found;
  }

  #resolve(raw: VirtualService, resolveHost: ResolveHost): networking.VirtualService {
    const { namespace } = raw.metadata;
    const resource = refOf(raw);
    const host = (name: string): string => resolveHost(name, namespace);
    const gateway = (name: string): string => resolveGateway(name, namespace);
    const destination = <D extends networking.Destination | undefined>(to: D): D =>
      to?.host === undefined ? to : { ...to, host: host(to.host) };
    const bound = <M extends { readonly gateways?: readonly string[] }>(match: M): M =>
      match.gateways === undefined ? match : { ...match, gateways: match.gateways.map(gateway) };
    const { spec } = raw;
    return {
      ...spec,
      hosts: spec.hosts?.map(host),
      gateways: spec.gateways?.map(gateway),
      http: spec.http?.map((route, index) => {
        const resolved: networking.HTTPRoute = {
          ...route,
          match: route.match?.map(bound),
          route: route.route?.map((to) => ({ ...to, destination: destination(to.destination) })),
          mirror: destination(route.mirror),
          mirrors: route.mirrors?.map((to) => ({ ...to, destination: destination(to.destination) })),
        };
        this.#origins.set(resolved, { resource, path: ['spec', 'http', index] });
        return resolved;
      }),
      tls: spec.tls?.map((route) => ({
        ...route,
        match: route.match?.map(bound),
        route: route.route?.map((to) => ({ ...to, destination: destination(to.destination) })),
      })),
      tcp: spec.tcp?.map((route) => ({
        ...route,
        match: route.match?.map(bound),
        route: route.route?.map((to) => ({ ...to, destination: destination(to.destination) })),
      })),
    };
  }

  #mergeDelegates(root: Entry, delegates: ReadonlyMap<string, Entry>): Entry {
    const { namespace } = root.resource.metadata;
    const http: networking.HTTPRoute[] = [];
    for (const route of root.resource.spec.http ?? []) {
      if (route.delegate === undefined) {
        http.push(route);
        continue;
      }
      const at = route.delegate.namespace;
      const target = delegates.get(`${at === undefined || at === '' ? namespace : at}/${route.delegate.name ?? ''}`);
      if (target === undefined || !isVisible(target.exportTo, namespace)) continue;
      for (const merged of mergeDelegate(route, target.resource.spec.http ?? [])) {
        this.#origins.set(merged.route, { resource: refOf(target.resource), path: ['spec', 'http', merged.index] });
        http.push(merged.route);
      }
    }
    return { ...root, resource: { ...root.resource, spec: { ...root.resource.spec, http } } };
  }
}

function hasDelegate(spec: networking.VirtualService): boolean {
  return spec.http?.some((route) => route.delegate !== undefined) ?? false;
}

function gatewaysOf(spec: networking.VirtualService): readonly string[] {
  return spec.gateways === undefined || spec.gateways.length === 0 ? [MESH_GATEWAY] : [...new Set(spec.gateways)];
}

/** `name`, `namespace/name`, or the older `name.namespace.svc.cluster.local`, as `namespace/name`; `mesh` stays. */
function resolveGateway(name: string, namespace: string): string {
  if (name === MESH_GATEWAY || name.includes('/'))
    return name.startsWith('./') ? `${namespace}/${name.slice(2)}` : name;
  const parts = name.split('.');
  return parts.length > 1 ? `${parts[1]}/${parts[0]}` : `${namespace}/${name}`;
}
