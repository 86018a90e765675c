import type { networking } from '@mizzen/api';
import { protocolOf, type Service, type ServicePort } from '@mizzen/model';
import type { TranslationContext } from './context.ts';
import { loopback } from './families.ts';
import { serviceTargets } from './service-targets.ts';
import type { LocalProxy } from './types.ts';

/** A port of the workload that peers reach through its sidecar. */
export interface InboundPort {
  /** The port traffic comes in on; names the cluster and is what policies call the port. */
  readonly port: number;
  /** The service port it stands for; of a Sidecar ingress listener or a container port where no service has it. */
  readonly servicePort: ServicePort;
  /** The oldest service with it. */
  readonly service: Service | undefined;
  /** Every service that leads there from the same port of its own, oldest first. */
  readonly services: readonly Service[];
  /** Address of the listener; empty: the proxy's own (for Istio's virtualInbound: none). */
  readonly bind: string;
  /** Set when it comes from a Sidecar's `ingress`. */
  readonly ingress: networking.IstioIngressListener | undefined;
  /** Index within the Sidecar's `ingress`; -1 otherwise. */
  readonly ingressIndex: number;
  /** Where the application is; undefined: where the connection was going anyway (original destination). */
  readonly application: { readonly address: string; readonly port: number } | { readonly path: string } | undefined;
  readonly local: NonNullable<LocalProxy['inbound']>[number] | undefined;
}

const cache = new WeakMap<TranslationContext, readonly InboundPort[]>();

/** The inbound ports of a sidecar, one per port, oldest service first. Gateways have none. */
export function inboundPorts(context: TranslationContext): readonly InboundPort[] {
  let ports = cache.get(context);
  if (ports === undefined) cache.set(context, (ports = collect(context)));
  return ports;
}

function collect(context: TranslationContext): readonly InboundPort[] {
  const { proxy, scope } = context;
  if (proxy.type !== 'sidecar') return [];
  const ingress = scope.sidecar?.spec.ingress ?? [];
  if (ingress.length > 0) return ingress.map((listener, index) => fromIngress(context, listener, index));
  const fromServices = servicePorts(context);
  if (proxy.local !== undefined) {
    return (proxy.local.inbound ?? []).map((local) => fromLocal(local, fromServices.get(local.containerPort)));
  }
  if (proxy.interceptionMode === 'NONE') return [];
  return [...fromServices.values()];
}

function servicePorts(context: TranslationContext): Map<number, InboundPort> {
  const ports = new Map<number, InboundPort & { services: Service[] }>();
  const toLocalhost = context.model.mesh.inboundTrafficPolicy?.mode === 'LOCALHOST';
  for (const { service, servicePort, targetPort } of serviceTargets(context)) {
    const known = ports.get(targetPort);
    if (known !== undefined) {
      const again = known.services.some(({ hostname }) => hostname === service.hostname);
      if (servicePort.port === known.servicePort.port && !again) known.services.push(service);
      continue;
    }
    ports.set(targetPort, {
      port: targetPort,
      servicePort,
      service,
      services: [service],
      bind: '',
      ingress: undefined,
      ingressIndex: -1,
      application: toLocalhost ? { address: loopback(context.proxy), port: targetPort } : undefined,
      local: undefined,
    });
  }
  return ports;
}

function fromLocal(
  local: NonNullable<LocalProxy['inbound']>[number],
  fromService: InboundPort | undefined,
): InboundPort {
  const base: InboundPort = fromService ?? {
    port: local.containerPort,
    servicePort: { name: '', port: local.containerPort, protocol: 'auto', targetPort: local.containerPort },
    service: undefined,
    services: [],
    bind: '',
    ingress: undefined,
    ingressIndex: -1,
    application: undefined,
    local: undefined,
  };
  return {
    ...base,
    bind: local.address,
    application: { address: local.applicationAddress, port: local.applicationPort },
    local,
  };
}

function fromIngress(
  context: TranslationContext,
  ingress: networking.IstioIngressListener,
  ingressIndex: number,
): InboundPort {
  const { proxy } = context;
  const port = ingress.port?.number ?? 0;
  const known = servicePorts(context).get(port);
  const local = proxy.local?.inbound?.find((entry) => entry.containerPort === port);
  return {
    port,
    servicePort: {
      name: ingress.port?.name ?? '',
      port,
      protocol: protocolOf(ingress.port?.protocol),
      targetPort: port,
    },
    service: known?.service,
    services: known?.service === undefined ? [] : [known.service],
    bind: local?.address ?? ingress.bind ?? '',
    ingress,
    ingressIndex,
    application: ingressApplication(context, ingress),
    local,
  };
}

/** On one machine the application listens where it was told to, which stands for the container port that is meant. */
function ingressApplication(
  context: TranslationContext,
  ingress: networking.IstioIngressListener,
): InboundPort['application'] {
  const written = ingressEndpoint(context, ingress);
  if (written !== undefined && 'path' in written) return written;
  const meant = written?.port ?? ingress.port?.number;
  const own = context.proxy.local?.inbound?.find((entry) => entry.containerPort === meant);
  return own === undefined ? written : { address: own.applicationAddress, port: own.applicationPort };
}

function ingressEndpoint(
  context: TranslationContext,
  ingress: networking.IstioIngressListener,
): InboundPort['application'] {
  const endpoint = ingress.defaultEndpoint ?? '';
  if (endpoint === '') return undefined;
  if (endpoint.startsWith('unix://')) return { path: endpoint.slice('unix://'.length) };
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(endpoint.slice(colon + 1));
  const own = host === '0.0.0.0' || host === '::';
  return { address: own ? (context.proxy.addresses[0] ?? loopback(context.proxy)) : host, port };
}
