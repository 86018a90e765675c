import type { types } from '@mizzen/xds';
import type { Build } from '../listener/build.ts';
import { extension } from './typed.ts';

/** Metrics of MongoDB's protocol, before the bytes are carried on. Mizzen's own proxy carries them without. */
export function mongoFilters(build: Build, statPrefix: string): readonly types.listener.Filter[] {
  if (build.context.proxy.engine === 'mizzen') return [];
  return [
    extension('envoy.filters.network.mongo_proxy', 'envoy.extensions.filters.network.mongo_proxy.v3.MongoProxy', {
      statPrefix,
    }),
  ];
}
