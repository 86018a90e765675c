import { GATEWAY_API, type Resource, type Snapshot, type gwapi } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import { hostsOverlap } from '../hosts.ts';
import type { Attachment, ListenerParent } from './parents.ts';
import { NO_PARENT, type Problems } from './problems.ts';

type HTTPRoute = Resource<gwapi.HTTPRouteSpec>;

interface Context {
  readonly snapshot: Snapshot;
  readonly listeners: readonly ListenerParent[];
  readonly domainSuffix: string;
  readonly problems: Problems;
}

/** Where an HTTPRoute is in force, in the order of istiod's names for the places. */
export function attachmentsOf(context: Context, route: HTTPRoute): Attachment[] {
  const found = (route.spec.parentRefs ?? []).flatMap((parent, index) => attach(context, route, parent, index));
  const name = (each: Attachment): string => (each.kind === 'mesh' ? 'mesh' : each.listener.internalName);
  return found.sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}

function attach(context: Context, route: HTTPRoute, parent: gwapi.ParentRef, index: number): Attachment[] {
  const { group = GATEWAY_API, kind = 'Gateway', name } = parent;
  const namespace = parent.namespace ?? route.metadata.namespace;
  const path = ['spec', 'parentRefs', index];
  const warn = (message: string, at: Path = path, help?: string): Attachment[] => {
    context.problems.warn(NO_PARENT, route, at, message, help);
    return [];
  };
  if (group === GATEWAY_API && kind === 'Gateway') return toGateway(context, route, parent, index, warn);
  if ((group === '' || group === 'core') && kind === 'Service') {
    if (context.snapshot.get('Service', namespace, name) === undefined) {
      return warn(`there is no Service \`${namespace}/${name}\` to attach the route to`, [...path, 'name']);
    }
    return [{ kind: 'mesh', hosts: [`${name}.${namespace}.svc.${context.domainSuffix}`], port: parent.port, index }];
  }
  if (group === 'networking.istio.io' && kind === 'ServiceEntry') {
    const entry = context.snapshot.get('ServiceEntry', namespace, name);
    if (entry === undefined) {
      return warn(`there is no ServiceEntry \`${namespace}/${name}\` to attach the route to`, [...path, 'name']);
    }
    return [{ kind: 'mesh', hosts: entry.spec.hosts ?? [], port: parent.port, index }];
  }
  const help = 'a Gateway, a Service or a ServiceEntry can be a parent';
  return warn(`\`${kind}\` is not supported as a parent: the route is not attached to \`${name}\``, path, help);
}

function toGateway(
  context: Context,
  route: HTTPRoute,
  parent: gwapi.ParentRef,
  index: number,
  warn: (message: string, at?: Path, help?: string) => Attachment[],
): Attachment[] {
  const { name, sectionName = '', port } = parent;
  const namespace = parent.namespace ?? route.metadata.namespace;
  const path = ['spec', 'parentRefs', index];
  const all = context.listeners.filter(
    ({ gateway }) => gateway.metadata.name === name && gateway.metadata.namespace === namespace,
  );
  if (all.length === 0) {
    const there = context.snapshot.get('KubernetesGateway', namespace, name) !== undefined;
    return there
      ? warn(`Gateway \`${namespace}/${name}\` is not served, so the route is not in force there`, [...path, 'name'])
      : warn(`there is no Gateway \`${namespace}/${name}\` to attach the route to`, [...path, 'name']);
  }
  const meant = all.filter(
    (each) => (port === undefined || each.port === port) && (sectionName === '' || each.section === sectionName),
  );
  if (meant.length === 0) {
    const what = sectionName === '' ? `on port \`${port}\`` : `\`${sectionName}\``;
    const at = [...path, sectionName === '' ? 'port' : 'sectionName'];
    const help = `it has ${all.map((each) => `\`${each.section}\` on port ${each.port}`).join(', ')}`;
    return warn(`Gateway \`${namespace}/${name}\` has no listener ${what}`, at, help);
  }
  const taking = meant.filter((listener) => refusal(listener, route) === undefined);
  const [first] = meant;
  if (taking.length === 0 && first !== undefined) return warn(refusal(first, route) ?? '', path);
  return taking.map((listener) => {
    const rivals = all.filter((each) => each.port === listener.port && each.protocol === listener.protocol);
    const others = rivals.map(({ hostname }) => hostname).filter((hostname) => hostname !== listener.hostname);
    return { kind: 'listener', listener, others, index };
  });
}

/** Why a listener does not take a route; undefined when it does. One host in common is enough. */
function refusal(listener: ListenerParent, route: HTTPRoute): string | undefined {
  const { namespace } = route.metadata;
  const { hostnames = [] } = route.spec;
  const wanted = hostnames.length === 0 ? ['*'] : hostnames;
  const where = `listener \`${listener.section}\` of Gateway \`${listener.gateway.metadata.name}\``;
  const offered = listener.hosts.map((each) => each.split('/') as [string, string]);
  const fits = offered.filter(([, host]) => wanted.some((each) => hostsOverlap(host, each)));
  if (fits.length === 0) return `none of the hostnames fits \`${listener.hostname}\` of ${where}`;
  if (!fits.some(([allowed]) => allowed === '*' || allowed === namespace)) {
    return `${where} takes no routes of namespace \`${namespace}\``;
  }
  return listener.takesHttpRoutes ? undefined : `${where} takes no HTTPRoutes`;
}
