import type { JsonValue, types } from '@mizzen/xds';

/** The keys that an endpoint must have for subset load balancing. */
export function lbMetadata(metadata: types.core.Metadata | undefined): Readonly<Record<string, JsonValue>> | undefined {
  return metadata?.filterMetadata?.['envoy.lb'] as Readonly<Record<string, JsonValue>> | undefined;
}
