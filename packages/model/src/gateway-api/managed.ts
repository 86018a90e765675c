import type { Resource, gwapi } from '@mizzen/api';

type Gateway = Resource<gwapi.GatewaySpec>;

const NAME_OVERRIDE = 'gateway.istio.io/name-override';
const SERVICE_ACCOUNT = 'gateway.istio.io/service-account';

/** Whether istiod starts pods for a Gateway: unless its addresses name a Service that is there already. */
export function isManaged({ spec }: Gateway): boolean {
  const { addresses = [] } = spec;
  if (addresses.length === 0) return true;
  return addresses.length === 1 && (addresses[0]?.type ?? 'IPAddress') === 'IPAddress';
}

/** Name of the Deployment and the Service that are started for a Gateway. */
export function managedName({ metadata, spec }: Gateway): string {
  return metadata.annotations?.[NAME_OVERRIDE] ?? `${metadata.name}-${spec.gatewayClassName}`;
}

export function managedServiceAccount({ metadata, spec }: Gateway): string {
  return metadata.annotations?.[SERVICE_ACCOUNT] ?? `${metadata.name}-${spec.gatewayClassName}`;
}

/** Host names of the Services whose pods are the gateway. */
export function gatewayHosts(gateway: Gateway, domainSuffix: string): string[] {
  const { namespace } = gateway.metadata;
  const full = (name: string): string => `${name}.${namespace}.svc.${domainSuffix}`;
  if (isManaged(gateway)) return [full(managedName(gateway))];
  return (gateway.spec.addresses ?? []).flatMap(({ type, value = '' }) => {
    if (type !== undefined && type !== 'Hostname') return [];
    return [value.includes('.') ? value : full(value)];
  });
}
