import type { JsonObject } from '@mizzen/xds';
import type { HeaderMutations } from '../headers.ts';
import type { ProxyProtocolProgram } from './cluster.ts';

/** Enforcing values are fractions of 1. */
export interface OutlierProgram {
  readonly interval: number;
  readonly baseEjectionTime: number;
  readonly maxEjectionTime: number;
  readonly maxEjectionTimeJitter: number;
  readonly maxEjectionFraction: number;
  readonly consecutive5xx: number;
  readonly enforcingConsecutive5xx: number;
  readonly consecutiveGatewayFailure: number;
  readonly enforcingConsecutiveGatewayFailure: number;
  readonly splitExternalLocalOriginErrors: boolean;
  readonly consecutiveLocalOriginFailure: number;
  readonly enforcingConsecutiveLocalOriginFailure: number;
  readonly successRateMinimumHosts: number;
  readonly successRateRequestVolume: number;
  /** Standard deviations. */
  readonly successRateStdevFactor: number;
  readonly enforcingSuccessRate: number;
  readonly enforcingLocalOriginSuccessRate: number;
  readonly failurePercentageThreshold: number;
  readonly enforcingFailurePercentage: number;
  readonly enforcingFailurePercentageLocalOrigin: number;
  readonly failurePercentageMinimumHosts: number;
  readonly failurePercentageRequestVolume: number;
  readonly alwaysEjectOneHost: boolean;
  readonly successfulActiveHealthCheckUnejectHost: boolean;
  /** Hosts whose responses have `x-envoy-degraded` are used only where the others do not suffice. */
  readonly detectDegradedHosts: boolean;
}

export interface HealthCheckProgram {
  /** Tells the checks of a cluster with several apart. */
  readonly name: string;
  readonly timeout: number;
  readonly interval: number;
  readonly initialJitter: number;
  readonly intervalJitter: number;
  readonly intervalJitterFraction: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  readonly reuseConnection: boolean;
  readonly noTrafficInterval: number;
  readonly noTrafficHealthyInterval: number;
  readonly unhealthyInterval: number;
  readonly unhealthyEdgeInterval: number;
  readonly healthyEdgeInterval: number;
  /** Offered in place of the cluster's; undefined: the cluster's. */
  readonly alpnProtocols: readonly string[] | undefined;
  /** What chooses the transport in place of the endpoint's metadata. */
  readonly transportMatch: JsonObject | undefined;
  /** Files that get a line for every change. */
  readonly eventLogs: readonly string[];
  readonly logsFailures: boolean;
  readonly logsSuccesses: boolean;
  readonly check: CheckProgram;
}

export type CheckProgram =
  | {
      readonly kind: 'http';
      /** Empty: the cluster's name. */
      readonly host: string;
      readonly path: string;
      readonly method: string;
      readonly send: Buffer;
      /** Pieces of the body that must come in this order. */
      readonly receive: readonly Buffer[];
      /** So much of the body is looked at; 0: all. */
      readonly responseBufferSize: number;
      readonly headers: HeaderMutations;
      /** `[start, end)` pairs; default 200. */
      readonly expectedStatuses: readonly (readonly [number, number])[];
      readonly retriableStatuses: readonly (readonly [number, number])[];
      /** Judges `x-envoy-upstream-healthchecked-cluster`. */
      readonly serviceName: ((name: string) => boolean) | undefined;
      readonly http2: boolean;
    }
  | {
      readonly kind: 'tcp';
      readonly send: Buffer;
      readonly receive: readonly Buffer[];
      readonly proxyProtocol: ProxyProtocolProgram | undefined;
    }
  | {
      readonly kind: 'grpc';
      readonly serviceName: string;
      /** Empty: the cluster's name. */
      readonly authority: string;
      readonly headers: HeaderMutations;
    }
  | { readonly kind: 'redis'; readonly key: string };
