import { isIP } from 'node:net';
import { TypeUrl, type types } from '@mizzen/xds';
import { compileAddress } from './address.ts';
import { CompileContext } from './context.ts';
import type { Path } from './path.ts';
import { readResource } from './read-resource.ts';
import type {
  AddressProgram,
  Compiled,
  CompileDeps,
  EndpointProgram,
  EndpointsProgram,
  LocalityProgram,
} from './types.ts';
import { denominator, fraction, milliseconds } from './values.ts';

const MAX_PRIORITY = 128;

/** What an endpoint would add to the PROXY protocol header. */
const PROXY_PROTOCOL = 'envoy.transport_sockets.proxy_protocol';

/** Compiles an EDS resource. Pure: nothing outside `deps` is touched. */
export function compileEndpoints(resource: unknown, deps: CompileDeps): Compiled<EndpointsProgram> {
  const read = readResource(TypeUrl.endpoint, resource);
  if (read.nacks.length > 0) return { nacks: read.nacks };
  const assignment = read.resource as types.endpoint.ClusterLoadAssignment;
  const context = new CompileContext(TypeUrl.endpoint, assignment.clusterName ?? '', deps);
  const program = compileAssignment(context, assignment, []);
  return context.nacks.length > 0 ? { nacks: context.nacks } : { program };
}

/** Compiles an assignment that was read and checked, wherever it stood. `named`: addresses are for DNS to resolve. */
export function compileAssignment(
  context: CompileContext,
  assignment: types.endpoint.ClusterLoadAssignment,
  path: Path,
  named = false,
): EndpointsProgram {
  if (assignment.clusterName === undefined || assignment.clusterName === '')
    context.refuse([...path, 'clusterName'], 'must not be empty');
  const localities = (assignment.endpoints ?? []).map((locality, i) =>
    compileLocality(context, locality, [...path, 'endpoints', i], named),
  );
  const { policy } = assignment;
  if (policy?.overprovisioningFactor === 0)
    context.refuse([...path, 'policy', 'overprovisioningFactor'], 'must be more than 0');
  const drops = policy?.dropOverloads ?? [];
  if (drops.length > 1) context.refuse([...path, 'policy', 'dropOverloads'], 'only one is supported');
  const [drop] = drops;
  if (drop !== undefined && (drop.dropPercentage?.numerator ?? 0) > denominator(drop.dropPercentage))
    context.refuse([...path, 'policy', 'dropOverloads', 0, 'dropPercentage'], 'must not be more than all');
  return {
    name: assignment.clusterName ?? '',
    localities: localities.sort((a, b) => a.priority - b.priority),
    overprovisioningFactor: policy?.overprovisioningFactor ?? 140,
    weightedPriorityHealth: policy?.weightedPriorityHealth === true,
    dropOverload: fraction(drop?.dropPercentage, 0),
    ...(drop?.category === undefined ? {} : { dropCategory: drop.category }),
    staleAfter: milliseconds(policy?.endpointStaleAfter, 0) || undefined,
  };
}

/** Endpoints that are listed several times are as many hosts. */
export function withCopies(endpoints: EndpointsProgram): EndpointsProgram {
  const seen = new Map<string, number>();
  const counted = (endpoint: EndpointProgram): EndpointProgram => {
    const key = JSON.stringify([endpoint.address, endpoint.endpointId, endpoint.hostname]);
    const copy = seen.get(key) ?? 0;
    seen.set(key, copy + 1);
    return copy === 0 ? endpoint : { ...endpoint, copy };
  };
  return {
    ...endpoints,
    localities: endpoints.localities.map((locality) => ({ ...locality, endpoints: locality.endpoints.map(counted) })),
  };
}

function compileLocality(
  context: CompileContext,
  locality: types.endpoint.LocalityLbEndpoints,
  path: Path,
  named: boolean,
): LocalityProgram {
  if ((locality.priority ?? 0) > MAX_PRIORITY) context.refuse([...path, 'priority'], `must be at most ${MAX_PRIORITY}`);
  if (locality.loadBalancingWeight === 0) context.refuse([...path, 'loadBalancingWeight'], 'must be at least 1');
  const listed = locality.loadBalancerEndpoints === undefined;
  const endpoints = (listed ? locality.lbEndpoints : locality.loadBalancerEndpoints?.lbEndpoints) ?? [];
  const at = listed ? [...path, 'lbEndpoints'] : [...path, 'loadBalancerEndpoints', 'lbEndpoints'];
  return {
    region: locality.locality?.region ?? '',
    zone: locality.locality?.zone ?? '',
    subZone: locality.locality?.subZone ?? '',
    priority: locality.priority ?? 0,
    weight: locality.locality === undefined ? undefined : locality.loadBalancingWeight,
    metadata: locality.metadata?.filterMetadata,
    endpoints: endpoints.flatMap((endpoint, i) => compileEndpoint(context, endpoint, [...at, i], named) ?? []),
  };
}

function compileEndpoint(
  context: CompileContext,
  lbEndpoint: types.endpoint.LbEndpoint,
  path: Path,
  named: boolean,
): EndpointProgram | undefined {
  const { endpoint } = lbEndpoint;
  const address = compileAddress(context, endpoint?.address, [...path, 'endpoint', 'address']);
  if (address === undefined) return undefined;
  if (!named && address.kind === 'socket' && address.address !== '' && isIP(address.address) === 0) {
    context.refuse(
      [...path, 'endpoint', 'address', 'socketAddress', 'address'],
      `\`${address.address}\` is not an IP address: names are for clusters of type STRICT_DNS or LOGICAL_DNS`,
    );
  }
  if (lbEndpoint.metadata?.typedFilterMetadata?.[PROXY_PROTOCOL] !== undefined)
    context.refuse([...path, 'metadata', 'typedFilterMetadata', PROXY_PROTOCOL], 'not supported');
  if (lbEndpoint.loadBalancingWeight === 0) context.refuse([...path, 'loadBalancingWeight'], 'must be at least 1');
  return {
    address,
    endpointId: endpoint?.address?.envoyInternalAddress?.endpointId ?? '',
    additionalAddresses: additionalAddresses(context, endpoint, address, [...path, 'endpoint', 'additionalAddresses']),
    hostname: endpoint?.hostname ?? '',
    weight: lbEndpoint.loadBalancingWeight ?? 1,
    health: lbEndpoint.healthStatus ?? 'UNKNOWN',
    healthCheckAddress: healthCheckAddress(context, endpoint, address, [...path, 'endpoint', 'healthCheckConfig']),
    healthCheckHostname: endpoint?.healthCheckConfig?.hostname ?? '',
    healthCheckDisabled: endpoint?.healthCheckConfig?.disableActiveHealthCheck === true,
    metadata: lbEndpoint.metadata?.filterMetadata,
  };
}

/** Undefined: where the endpoint itself is. */
function healthCheckAddress(
  context: CompileContext,
  endpoint: types.endpoint.Endpoint | undefined,
  own: AddressProgram,
  path: Path,
): EndpointProgram['healthCheckAddress'] {
  const { address, portValue = 0 } = endpoint?.healthCheckConfig ?? {};
  if (address === undefined) {
    if (portValue === 0 || own.kind !== 'socket') return undefined;
    return { address: own.address, port: portValue };
  }
  const at = [...path, 'address'];
  const other = compileAddress(context, address, at);
  if (other === undefined) return undefined;
  if (other.kind !== 'socket' || isIP(other.address) === 0) {
    context.refuse(at, 'must be an IP address and a port');
    return undefined;
  }
  return { address: other.address, port: portValue === 0 ? other.port : portValue };
}

/** Other addresses of the same host. */
function additionalAddresses(
  context: CompileContext,
  endpoint: types.endpoint.Endpoint | undefined,
  own: AddressProgram,
  path: Path,
): EndpointProgram['additionalAddresses'] {
  return (endpoint?.additionalAddresses ?? []).flatMap(({ address }, i) => {
    const at = [...path, i, 'address'];
    const other = compileAddress(context, address, at);
    if (other === undefined) return [];
    if (other.kind !== 'socket' || own.kind !== 'socket' || isIP(other.address) === 0) {
      context.refuse(at, 'must be an IP address and a port, beside one');
      return [];
    }
    return [{ address: other.address, port: other.port }];
  });
}
