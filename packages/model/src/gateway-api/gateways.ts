import { GATEWAY_API, refOf, type Resource, type Snapshot, type gwapi, type networking } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import { fitsSelector } from '../labels.ts';
import { certificateProblem } from './certificates.ts';
import { controllerOf } from './classes.ts';
import type { Grants } from './grants.ts';
import { gatewayHosts } from './managed.ts';
import { GATEWAY_SEMANTICS, GATEWAY_SERVICE, PARENTS, internalGatewayName } from './names.ts';
import type { ListenerParent } from './parents.ts';
import { NOT_SERVED, type Problems } from './problems.ts';

type Gateway = Resource<gwapi.GatewaySpec>;

export interface ConvertedGateways {
  readonly gateways: readonly Resource<networking.Gateway>[];
  readonly listeners: readonly ListenerParent[];
}

interface Context {
  readonly snapshot: Snapshot;
  readonly grants: Grants;
  readonly domainSuffix: string;
  readonly problems: Problems;
}

/**
 * One of Istio's Gateways with a single server for each listener, so that routes can be bound to each of them. Listeners
 * that cannot work have none, but are parents all the same.
 */
export function convertGateways(context: Context): ConvertedGateways {
  const gateways: Resource<networking.Gateway>[] = [];
  const listeners: ListenerParent[] = [];
  for (const gateway of context.snapshot.list('KubernetesGateway')) {
    if (!isServed(context, gateway)) continue;
    const services = gatewayHosts(gateway, context.domainSuffix);
    if (services.length === 0) {
      const message = 'only addresses of type `Hostname` are supported';
      context.problems.warn(NOT_SERVED, gateway, ['spec', 'addresses'], message);
      continue;
    }
    const { namespace, name } = gateway.metadata;
    for (const [index, listener] of (gateway.spec.listeners ?? []).entries()) {
      const internal = internalGatewayName(name, listener.name);
      const hosts = hostsOf(context.snapshot, gateway, listener);
      listeners.push({
        gateway,
        internalName: `${namespace}/${internal}`,
        section: listener.name,
        port: listener.port,
        protocol: listener.protocol,
        hostname: listener.hostname ?? '',
        hosts,
        takesHttpRoutes: takesHttpRoutes(listener),
      });
      const path = ['spec', 'listeners', index];
      const tls = listener.tls === undefined ? undefined : tlsOf(context, gateway, listener.tls, [...path, 'tls']);
      if (tls === 'unusable' || !['HTTP', 'HTTPS', 'TLS'].includes(listener.protocol)) continue;
      const port: networking.Port = { name: 'default', number: listener.port, protocol: listener.protocol };
      const server: networking.Server = { port, hosts, ...(tls === undefined ? {} : { tls }) };
      gateways.push(internalGateway(gateway, internal, services, listener.name, server, path));
    }
  }
  return { gateways, listeners };
}

function isServed({ snapshot, problems }: Context, gateway: Gateway): boolean {
  const { gatewayClassName } = gateway.spec;
  const controller = controllerOf(snapshot, gatewayClassName);
  if (controller === 'gateway') return true;
  const path = ['spec', 'gatewayClassName'];
  if (controller === 'waypoint') {
    const message = `class \`${gatewayClassName}\` is not supported yet: there are no waypoints, pods have sidecars`;
    problems.warn('MZ1205', gateway, path, message);
  } else if (controller === 'other') {
    const message = `class \`${gatewayClassName}\` is nobody's here, so the Gateway is not served`;
    problems.warn(NOT_SERVED, gateway, path, message, '`istio` is the class of Istio');
  }
  return false;
}

function internalGateway(
  gateway: Gateway,
  name: string,
  services: readonly string[],
  listener: string,
  server: networking.Server,
  path: Path,
): Resource<networking.Gateway> {
  const { namespace, creationTimestamp } = gateway.metadata;
  const metadata = {
    name,
    namespace,
    annotations: {
      [GATEWAY_SEMANTICS]: 'gateway',
      [GATEWAY_SERVICE]: services.join(','),
      [PARENTS]: `Gateway/${gateway.metadata.name}/${listener}.${namespace}`,
    },
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
  };
  const apiVersion = 'networking.istio.io/v1';
  const spec = { servers: [server] };
  const place = (...more: Path): { resource: ReturnType<typeof refOf>; path: Path } => ({
    resource: refOf(gateway),
    path: [...path, ...more],
  });
  return {
    apiVersion,
    kind: 'Gateway',
    metadata,
    spec,
    body: { apiVersion, kind: 'Gateway', metadata, spec },
    source: gateway.source,
    order: gateway.order,
    writtenAt: new Map([
      ['', place()],
      ['spec.servers.0.port', place('port')],
      ['spec.servers.0.hosts', place('hostname')],
      ['spec.servers.0.tls', place('tls')],
    ]),
  };
}

function takesHttpRoutes({ protocol, allowedRoutes }: gwapi.Listener): boolean {
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') return false;
  const { kinds = [] } = allowedRoutes ?? {};
  return (
    kinds.length === 0 || kinds.some(({ group = GATEWAY_API, kind }) => group === GATEWAY_API && kind === 'HTTPRoute')
  );
}

/** For each namespace whose routes may be attached, the listener's host; for `~`, nobody, when there is none. */
function hostsOf(snapshot: Snapshot, gateway: Gateway, listener: gwapi.Listener): string[] {
  const host = listener.hostname === undefined || listener.hostname === '' ? '*' : listener.hostname;
  const namespaces = namespacesOf(snapshot, gateway.metadata.namespace, listener.allowedRoutes?.namespaces);
  return namespaces.length === 0 ? [`~/${host}`] : namespaces.map((namespace) => `${namespace}/${host}`);
}

function namespacesOf(snapshot: Snapshot, own: string, allowed: gwapi.RouteNamespaces | undefined): string[] {
  const from = allowed?.from ?? 'Same';
  if (from === 'Same') return [own];
  if (from === 'All') return ['*'];
  if (from === 'None') return [];
  const names = new Set([own, 'default']);
  for (const { metadata } of snapshot.list('Namespace')) names.add(metadata.name);
  for (const { metadata } of snapshot.list('HTTPRoute')) names.add(metadata.namespace);
  return [...names]
    .filter((name) => {
      const labels = snapshot.get('Namespace', '', name)?.metadata.labels ?? {};
      return fitsSelector(allowed?.selector, { ...labels, 'kubernetes.io/metadata.name': name });
    })
    .sort();
}

const TERMINATE_MODE = 'gateway.istio.io/tls-terminate-mode';

/** Istio's settings for a listener's; `unusable` when it has no certificate it could show. */
function tlsOf(
  context: Context,
  gateway: Gateway,
  tls: gwapi.ListenerTLS,
  path: Path,
): networking.ServerTLSSettings | 'unusable' {
  if (tls.mode === 'Passthrough') return { mode: 'PASSTHROUGH' };
  const option = tls.options?.[TERMINATE_MODE];
  if (option === 'ISTIO_MUTUAL') return { mode: 'ISTIO_MUTUAL' };
  if (option === 'ISTIO_SIMPLE') {
    const message = '`ISTIO_SIMPLE` is not supported yet: the listener is not opened';
    context.problems.warn('MZ1205', gateway, [...path, 'options', TERMINATE_MODE], message, 'name a certificate');
    return 'unusable';
  }
  const mode = option === 'MUTUAL' || option === 'OPTIONAL_MUTUAL' ? option : 'SIMPLE';
  const names = (tls.certificateRefs ?? []).flatMap((ref, index) =>
    credential(context, gateway, ref, [...path, 'certificateRefs', index]),
  );
  const [first] = names;
  if (first === undefined) return 'unusable';
  return names.length === 1 ? { mode, credentialName: first } : { mode, credentialNames: names };
}

function credential(context: Context, gateway: Gateway, ref: gwapi.SecretRef, path: Path): string[] {
  const own = gateway.metadata.namespace;
  const { name, namespace = own } = ref;
  const secret = context.snapshot.get('Secret', namespace, name);
  const { warn } = bound(context.problems, gateway, path);
  if (secret === undefined) {
    warn('MZ0201', `there is no Secret \`${namespace}/${name}\``);
    return [];
  }
  const problem = certificateProblem(secret);
  if (problem !== undefined) {
    warn('MZ0202', `Secret \`${namespace}/${name}\`: ${problem}`);
    return [];
  }
  if (!context.grants.secret(own, namespace, name)) {
    const message = `a Gateway of \`${own}\` may not use the Secret \`${namespace}/${name}\``;
    warn('MZ0201', message, `a ReferenceGrant in \`${namespace}\` can allow it`);
    return [];
  }
  return [`kubernetes-gateway://${namespace}/${name}`];
}

function bound(problems: Problems, gateway: Gateway, path: Path) {
  return {
    warn: (code: string, message: string, help = 'the listener is not opened without a certificate'): void =>
      problems.warn(code, gateway, path, message, help),
  };
}
