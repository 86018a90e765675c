import type { LbContext, UpstreamHost } from '../types.ts';

/** What balancing looks at in a host. */
export interface BalancedHost extends UpstreamHost {
  /** At least 1. */
  readonly weight: number;
  /** What consistent hashing places it by. */
  readonly hashKey: string;
  /** It does not count in how much of its priority is available. */
  readonly excluded?: boolean;
  /** Healthy where nothing is said of it. */
  readonly availability?: 'healthy' | 'degraded' | 'unhealthy';
  /** Clock time at which it joined or came back, for slow start. */
  readonly since: number;
}

/**
 * Chooses among the hosts it was made for. Immutable as to its hosts: whoever keeps it replaces it when they change.
 * `attempt` counts up when an earlier answer was to be avoided.
 */
export interface HostPicker {
  /** Where hosts are found by hash. */
  readonly spread?: Spread;
  pick(context: LbContext, attempt: number): BalancedHost | undefined;
}

/** Hosts of one priority, sorted by what they may be used for. Every host is in `hosts`. */
export interface PriorityHosts {
  readonly hosts: readonly BalancedHost[];
  readonly healthy: readonly BalancedHost[];
  readonly degraded: readonly BalancedHost[];
  /** Known, but not yet checked for the first time: counted neither way. */
  readonly excluded: number;
  readonly localities: readonly LocalityHosts[];
  /** Its localities stand side by side, whatever they weigh. */
  readonly unweighted?: boolean;
  /** Percent, where priorities of several clusters stand side by side; otherwise they have one in common. */
  readonly overprovisioningFactor?: number;
}

export interface LocalityHosts {
  /** Region, zone and sub-zone. */
  readonly key: string;
  /** 0: gets no share under locality-weighted balancing. */
  readonly weight: number;
  readonly hosts: readonly BalancedHost[];
  readonly healthy: readonly BalancedHost[];
  readonly degraded: readonly BalancedHost[];
}

/** How the places of a ring or a table are spread over hosts. */
export interface Spread {
  readonly size: number;
  /** Places of the hosts that have the fewest and the most. */
  readonly least: number;
  readonly most: number;
}

/** A host and its share of the whole, for consistent hashing. Shares add up to 1. */
export interface Share {
  readonly host: BalancedHost;
  readonly weight: number;
}
