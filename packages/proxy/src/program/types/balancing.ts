import type { JsonObject } from '@mizzen/xds';

export type LbProgram =
  | {
      readonly policy: 'ROUND_ROBIN';
      readonly slowStart: SlowStartProgram | undefined;
      /** Set where hosts weigh what they say of their load, not what is said of them. */
      readonly byLoad?: LoadWeights;
    }
  | {
      readonly policy: 'LEAST_REQUEST';
      readonly choiceCount: number;
      readonly activeRequestBias: number;
      /** All hosts are compared, not a few. */
      readonly fullScan: boolean;
      readonly slowStart: SlowStartProgram | undefined;
    }
  | { readonly policy: 'RANDOM' }
  | {
      readonly policy: 'RING_HASH';
      readonly minimumRingSize: number;
      readonly maximumRingSize: number;
      readonly hashFunction: 'XX_HASH' | 'MURMUR_HASH_2';
    }
  | { readonly policy: 'MAGLEV'; readonly tableSize: number }
  | { readonly policy: 'CLUSTER_PROVIDED' };

export interface SlowStartProgram {
  readonly window: number;
  readonly aggression: number;
  readonly minWeight: number;
}

/** How weights follow from what hosts report of their load. Times in milliseconds. */
export interface LoadWeights {
  /** For so long after its first report, a host weighs as the others do. */
  readonly blackoutPeriod: number;
  /** A host that reports nothing for so long does again. */
  readonly expirationPeriod: number;
  readonly updatePeriod: number;
  /** How much errors count as utilization. */
  readonly errorPenalty: number;
  /** What utilization is, before that of the application and of the processor: the highest of these. */
  readonly metrics: readonly string[];
}

export interface SubsetProgram {
  readonly fallback: 'NO_FALLBACK' | 'ANY_ENDPOINT' | 'DEFAULT_SUBSET';
  readonly defaultSubset: JsonObject;
  readonly selectors: readonly SelectorProgram[];
  readonly localityWeightAware: boolean;
  /** A locality counts by how many of its hosts a subset has. */
  readonly scaleLocalityWeight: boolean;
  /** When nothing else is found, any host. */
  readonly panicModeAny: boolean;
  /** A list in a host's metadata stands for each of its values. */
  readonly listAsAny: boolean;
  /** Criteria may list others to be tried one after the other. */
  readonly metadataFallbackList: boolean;
  /** Criteria may have keys that no selector has. */
  readonly allowRedundantKeys: boolean;
}

/** Where requests name their host. */
export type OverrideSource =
  /** Lowercase. */
  | { readonly header: string; readonly metadata?: undefined }
  /** Path into the dynamic metadata, the filter's name first. */
  | { readonly header?: undefined; readonly metadata: readonly string[] };

export interface SelectorProgram {
  /** Sorted. */
  readonly keys: readonly string[];
  /** Undefined: as the cluster says. */
  readonly fallback: SubsetProgram['fallback'] | 'KEYS_SUBSET' | undefined;
  readonly fallbackKeys: readonly string[];
  /** A value stands for one host. */
  readonly singleHost: boolean;
}

/** Routing by zone, for proxies that know the cluster they are part of. */
export interface ZoneAwareProgram {
  /** Chance that a request is routed by zone at all. */
  readonly routingEnabled: number;
  readonly minClusterSize: number;
  /** Requests fail where a priority panics. */
  readonly failOnPanic: boolean;
  /** Everything goes to the proxy's own locality. */
  readonly forceDirect: boolean;
  /** Everything does from so many healthy hosts there; undefined: not forced. */
  readonly forceLocalFrom: number | undefined;
  /** Weights are compared in place of numbers of hosts. */
  readonly byWeight: boolean;
}
