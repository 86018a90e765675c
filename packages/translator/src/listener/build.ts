import type { WorkloadPolicies } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import type { Extension } from '../extension/list.ts';
import type { TelemetrySettings } from '../filters/telemetry.ts';
import type { Marks } from './marks.ts';

/** Which way traffic of a filter chain goes; gateways are clients of the mesh that serve others. */
export type ListenerClass = 'inbound' | 'outbound' | 'gateway';

/** What building one proxy's listeners needs and remembers. */
export interface Build {
  readonly context: TranslationContext;
  readonly marks: Marks;
  readonly policies: WorkloadPolicies;
  readonly telemetry: TelemetrySettings;
  /** Plugins and scripts for the proxy, in their order. */
  readonly extensions: readonly Extension[];
  /** Filters that are the same in all chains of a class, built once so that listeners share them. */
  readonly httpFilters: Map<string, readonly types.hcm.HttpFilter[]>;
  readonly networkFilters: Map<string, readonly types.listener.Filter[]>;
}

/** The value under `key`, made on first use. */
export function remember<K, V>(cache: Map<K, V>, key: K, make: () => V): V {
  let value = cache.get(key);
  if (value === undefined) cache.set(key, (value = make()));
  return value;
}
