import type {
  AccessLogging,
  AccessLogging_Filter,
  AccessLogging_LogSelector,
  ProviderRef,
  Telemetry,
} from '../gen/istio.telemetry.v1alpha1.ts';
import { fields, left, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const TEL = 'istio.telemetry.v1alpha1';

export const NO_SPANS = left('spans are not exported; trace headers are passed on');
export const NO_METRICS = left('each proxy keeps its own metrics, and they cannot be changed');
const TARGETS = left('the whole resource is left out, because it names what it is for this way', 'use `selector`');

export const telemetry: MessageTable = {
  [`${TEL}.Telemetry`]: fields<Telemetry>({
    selector: yes('workloads it is for; all of its namespace when left out'),
    targetRef: TARGETS,
    targetRefs: TARGETS,
    tracing: NO_SPANS,
    metrics: NO_METRICS,
    accessLogging: yes('which requests are logged, and where', 'HttpConnectionManager.accessLog'),
  }),
  [`${TEL}.AccessLogging`]: fields<AccessLogging>({
    match: yes('as client, as server, or both'),
    providers: yes('`envoy`, or an `envoyFileAccessLog` of `extensionProviders`', 'AccessLog.typedConfig'),
    disabled: yes('switches them off'),
    filter: left('every request is logged, whatever the expression says', 'filter the log afterwards'),
  }),
  [`${TEL}.AccessLogging.LogSelector`]: fields<AccessLogging_LogSelector>({ mode: yes('CLIENT, SERVER or both') }),
  [`${TEL}.AccessLogging.Filter`]: fields<AccessLogging_Filter>({ expression: left('see `filter`') }),
  [`${TEL}.ProviderRef`]: fields<ProviderRef>({ name: yes('its name in `extensionProviders`') }),
};
