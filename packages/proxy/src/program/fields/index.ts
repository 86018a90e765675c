import { balancingFields } from './balancing.ts';
import { bootstrapFields } from './bootstrap.ts';
import { clusterFields } from './cluster.ts';
import { commonFields } from './common.ts';
import { configSourceFields } from './config-source.ts';
import { expressionFields } from './expressions.ts';
import { extAuthzFields } from './ext-authz.ts';
import { filterFields } from './filters.ts';
import { istioFields } from './istio.ts';
import { listenerFields } from './listener.ts';
import { rateLimitFields } from './ratelimit.ts';
import { matchingFields } from './matching.ts';
import { stateFields } from './state.ts';
import { routeFields } from './route.ts';
import { tracingFields } from './tracing.ts';
import { webFilterFields } from './web-filters.ts';
import { indexFields } from './table.ts';

/** Message → field → class, for every message the proxy reads. A message that is not here is refused where it stands. */
export const fields = indexFields([
  bootstrapFields,
  configSourceFields,
  listenerFields,
  matchingFields,
  routeFields,
  clusterFields,
  balancingFields,
  filterFields,
  webFilterFields,
  extAuthzFields,
  rateLimitFields,
  commonFields,
  stateFields,
  expressionFields,
  istioFields,
  tracingFields,
]);
export { noEffectTypes } from './any-types.ts';
export type { FieldClass } from './table.ts';
