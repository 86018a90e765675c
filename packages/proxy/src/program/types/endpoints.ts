import type { JsonObject } from '@mizzen/xds';
import type { AddressProgram } from './listener.ts';

export interface EndpointsProgram {
  /** EDS service name (the assignment's `clusterName`). */
  readonly name: string;
  /** In order of priority, then as given. */
  readonly localities: readonly LocalityProgram[];
  /** Percent, 140 unless told. */
  readonly overprovisioningFactor: number;
  readonly weightedPriorityHealth: boolean;
  /** Fraction of requests to drop. */
  readonly dropOverload: number;
  /** What these are called in reports of load. */
  readonly dropCategory?: string;
  /** Forgotten when there is no other for so long, milliseconds; undefined: never. */
  readonly staleAfter?: number | undefined;
}

export interface LocalityProgram {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
  readonly priority: number;
  /** Undefined: none was given, or no locality; such localities get no share under locality-weighted balancing. */
  readonly weight: number | undefined;
  readonly metadata?: Readonly<Record<string, JsonObject>> | undefined;
  readonly endpoints: readonly EndpointProgram[];
}

export interface EndpointProgram {
  readonly address: AddressProgram;
  /** `internal` addresses: what tells endpoints of the same listener apart. */
  readonly endpointId: string;
  /** Tried one after the other where the first does not answer at once. */
  readonly additionalAddresses: readonly { readonly address: string; readonly port: number }[];
  readonly hostname: string;
  readonly weight: number;
  readonly health: 'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY' | 'DRAINING' | 'TIMEOUT' | 'DEGRADED';
  /** Where health is asked for; undefined: the endpoint's own address. */
  readonly healthCheckAddress: { readonly address: string; readonly port: number } | undefined;
  readonly healthCheckHostname: string;
  readonly healthCheckDisabled: boolean;
  /** By filter name: `envoy.lb`, `envoy.transport_socket_match`, `istio`. */
  readonly metadata: Readonly<Record<string, JsonObject>> | undefined;
  /** How many of the same address come before it, in clusters that take each for a host of its own. */
  readonly copy?: number;
}
